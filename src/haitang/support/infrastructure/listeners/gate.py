"""How many connections a listener holds, in all and from one address: counted from TCP on, so that handshakes of TLS count too.

A limit is no use beyond what the machine's limit of open files lets in: that is raised as far as it goes, and bounds ours.
"""

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.places import FULL, FULL_FOR_ADDRESS, Places

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.answering import Answering
    from haitang.support.security.tls.contexts import Renewed

log = structlog.get_logger()
HANDSHAKE = 10.0  # seconds in which a device must have agreed on TLS
OWN_FILES = 200  # open files that a listener needs besides its connections
TOLD = 256  # connections beyond the limits that may stay for a moment to hear why
COUNTED = (FULL, FULL_FOR_ADDRESS, "too_slow")
_SAY_EVERY = 10.0  # seconds between two lines of the log about who is turned away


class Gate:
    """Who is in, by address. `most` and `most_of_address`: connections."""

    def __init__(self, counters: Counters, most: int, most_of_address: int) -> None:
        self._counters, self._places = counters, Places(most, most_of_address)
        self._telling = 0
        self._said = -_SAY_EVERY
        counters.gauges["open_connections"] = self._places.total

    @classmethod
    def of_settings(cls, counters: Counters) -> "Gate":
        """By `device_connections` and `device_connections_of_address`; 0: as many as the machine lets in."""
        files = max(open_files() - OWN_FILES, 1)
        most = settings().device_connections or files
        if most > files:
            log.warning("listener.fewer_connections", wanted=most, given=files, why="open files (ulimit -n)")
        return cls(counters, min(most, files), settings().device_connections_of_address or files)

    def enter(self, address: str) -> str:
        """Why a connection may not stay, "" where it is in: then it leaves once."""
        why = self._places.enter(address)
        if not why:
            return ""
        self._counters.add(why)
        if time.monotonic() - self._said >= _SAY_EVERY:
            self._said = time.monotonic()
            log.warning("listener.turned_away", why=why, address=address, there=self._places.total(), of_address=self._places.of(address))
        return why

    def leave(self, address: str) -> None:
        self._places.leave(address)

    def tell(self) -> bool:
        """Whether one that is turned away may stay for a moment to hear why; then it calls `told`."""
        if self._telling >= TOLD:
            return False
        self._telling += 1
        return True

    def told(self) -> None:
        self._telling -= 1


class Entrance:
    """Accepts connections for a listener: each passes the gate first, then hands are shaken where the listener speaks TLS, then it is the listener's own."""

    def __init__(self, gate: Gate, renewed: "Renewed | None", make: "Callable[[], Answering[Any, Any]]") -> None:
        self._gate, self._renewed, self._make = gate, renewed, make
        self._sockets: list[socket.socket] = []
        self._work: set[asyncio.Task[None]] = set()

    def open(self, host: str, port: int) -> None:
        """Listen on every address of the host; raises OSError."""
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            listening = socket.create_server((str(address[0]), port), family=family, backlog=1024)
            listening.setblocking(False)
            self._sockets.append(listening)
            self._begin(self._accept(listening))

    def close(self) -> None:
        for task in self._work:
            task.cancel()
        for each in self._sockets:
            each.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listening)
            except OSError as reason:  # no file is free, or the peer has gone already
                log.warning("listener.not_accepted", reason=str(reason))
                await asyncio.sleep(0.1)
                continue
            self._let_in(connection, str(address[0]))

    def _let_in(self, connection: socket.socket, address: str) -> None:
        why = self._gate.enter(address)
        if not why:
            self._begin(self._hand_over(connection, lambda: self._gate.leave(address)))
        elif self._renewed is None and self._gate.tell():  # under TLS a word costs a handshake
            self._begin(self._hand_over(connection, self._gate.told, why))
        else:
            connection.close()

    async def _hand_over(self, connection: socket.socket, leave: Callable[[], None], turned_away: str = "") -> None:
        made: list[Answering[Any, Any]] = []

        def listeners() -> "Answering[Any, Any]":
            made.append(self._make())
            made[0].turned_away, made[0].leave = turned_away, leave
            return made[0]

        try:
            await asyncio.get_running_loop().connect_accepted_socket(listeners, connection, **self._tls())
        except (OSError, TimeoutError):  # hands were not shaken
            connection.close()
            if not made or not made[0].there:
                leave()

    def _tls(self) -> dict[str, Any]:
        return {"ssl": self._renewed.context, "ssl_handshake_timeout": HANDSHAKE} if self._renewed else {}


def open_files() -> int:
    """How many files this process may have open, after raising the limit as far as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return 1_000_000 if soft == resource.RLIM_INFINITY else soft
