"""Ports of the embedded engines: free ones, chosen once and kept, so that several instances run side by side."""

import json
import socket
from pathlib import Path

from haitang.base.disk import put


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
