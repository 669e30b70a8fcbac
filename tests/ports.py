"""Ports for the servers of tests.

None is of the range from which the system gives ports to connections: one of those may be taken between this and the server's start. Each worker of pytest-xdist has a
range of its own, and gets no port twice.
"""

import os
import random
from pathlib import Path

from haitang.support.infrastructure.embedded.ports import is_free

FIRST, WORKERS = 10_000, 16
_given: set[int] = set()


def free_port() -> int:
    """A TCP port on loopback that nobody listens on and that nobody else is given."""
    mine = _range()
    for port in random.SystemRandom().sample(mine, len(mine)):
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"no port from {mine.start} to {mine.stop - 1} is free")


def _range() -> range:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    each = (_first_of_connections() - FIRST) // WORKERS
    return range(FIRST + worker * each, FIRST + (worker + 1) * each)


def _first_of_connections() -> int:
    file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    return max(int(file.read_text().split()[0]), FIRST + 1000 * WORKERS) if file.exists() else 32_768
