"""Ports of the embedded engines: free ones, chosen once and kept, so that several instances run side by side."""

import json
import socket
from pathlib import Path

from haitang.base.disk import put


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now, and that the system gives nobody else for a minute.

    A connection over it was closed from this side first, which leaves the port in TIME_WAIT: who names it and sets SO_REUSEADDR, as servers do, may listen there,
    and who asks for any port is given another. Otherwise a second instance could be given it before the first one listens.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        port = int(listening.getsockname()[1])
        with socket.create_connection(("127.0.0.1", port)):
            listening.accept()[0].close()
    return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def kept_port(file: Path, name: str) -> int:
    """The port that `name` had before, if it is still free; else a new one, written down in `file` (JSON)."""
    kept: dict[str, int] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if name not in kept or not is_free(kept[name]):
        kept[name] = free_port()
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(kept), "utf-8")
        put(draft, file)
    return kept[name]
