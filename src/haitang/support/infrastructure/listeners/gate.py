"""How many connections a listener holds, in all and from one address: counted from TCP on, so that handshakes of TLS count too.

A limit is no use beyond what the machine's limit of open files lets in: that is raised as far as it goes, and bounds ours.
"""

import asyncio
import contextlib
import resource
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import structlog

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners.counters import Counters

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.answering import Answering
    from haitang.support.security.tls.contexts import Renewed

log = structlog.get_logger()
HANDSHAKE = 10.0  # seconds in which a device must have agreed on TLS
OWN_FILES = 200  # open files that a listener needs besides its connections
TOLD = 256  # connections beyond the limits that may stay for a moment to hear why
FULL, FULL_FOR_ADDRESS = "turned_away", "turned_away_address"
COUNTED = (FULL, FULL_FOR_ADDRESS, "too_slow")
_SAY_EVERY = 10.0  # seconds between two lines of the log about who is turned away


class Gate:
    """Who is in, by address. `most` and `most_of_address`: connections."""

    def __init__(self, counters: Counters, most: int, most_of_address: int) -> None:
        self._counters, self._most, self._most_of_address = counters, most, most_of_address
        self._in: Counter[str] = Counter()
        self._telling = 0
        self._said = -_SAY_EVERY
        counters.gauges["open_connections"] = lambda: self._in.total()

    @classmethod
    def of_settings(cls, counters: Counters) -> "Gate":
        """By `device_connections` and `device_connections_of_address`; 0: as many as the machine lets in."""
        files = max(_open_files() - OWN_FILES, 1)
        most = settings().device_connections or files
        if most > files:
            log.warning("listener.fewer_connections", wanted=most, given=files, why="open files (ulimit -n)")
        return cls(counters, min(most, files), settings().device_connections_of_address or files)

    def enter(self, address: str) -> str:
        """Why a connection may not stay, "" where it is in: then it leaves once."""
        why = FULL if self._in.total() >= self._most else FULL_FOR_ADDRESS if self._in[address] >= self._most_of_address else ""
        if not why:
            self._in[address] += 1
            return ""
        self._counters.add(why)
        if time.monotonic() - self._said >= _SAY_EVERY:
            self._said = time.monotonic()
            log.warning("listener.turned_away", why=why, address=address, there=self._in.total(), of_address=self._in[address])
        return why

    def leave(self, address: str) -> None:
        self._in[address] -= 1
        if not self._in[address]:
            del self._in[address]

    def tell(self) -> bool:
        """Whether one that is turned away may stay for a moment to hear why; then it calls `told`."""
        if self._telling >= TOLD:
            return False
        self._telling += 1
        return True

    def told(self) -> None:
        self._telling -= 1


class Entry(asyncio.Protocol):
    """A connection until it is the listener's own: let in or turned away, then hands are shaken where the listener speaks TLS."""

    def __init__(self, gate: Gate, renewed: "Renewed | None", make: "Callable[[], Answering[Any, Any]]") -> None:
        self._gate, self._renewed, self._make = gate, renewed, make
        self._address = "?"
        self._early, self._ended = list[bytes](), False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = cast(asyncio.Transport, transport)
        self._address = str((transport.get_extra_info("peername") or ("?",))[0])
        if why := self._gate.enter(self._address):
            self._turn_away(connection, why)
        elif self._renewed is None:
            self._hand_over(connection, self._leave)
        else:
            connection.pause_reading()
            self._shaking = asyncio.get_running_loop().create_task(self._shake_hands(connection, self._renewed))

    def _turn_away(self, connection: asyncio.Transport, why: str) -> None:
        """Without a word under TLS, where a word costs a handshake, and where too many hear one already."""
        if self._renewed is None and self._gate.tell():
            self._hand_over(connection, self._gate.told, why)
        else:
            connection.abort()

    def _hand_over(self, connection: asyncio.Transport, leave: Callable[[], None], turned_away: str = "") -> None:
        made = self._make()
        made.turned_away, made.leave = turned_away, leave
        connection.set_protocol(made)
        made.connection_made(connection)
        if self._early:
            made.data_received(b"".join(self._early))
        if self._ended:
            made.eof_received()

    def _leave(self) -> None:
        self._gate.leave(self._address)

    async def _shake_hands(self, connection: asyncio.Transport, renewed: "Renewed") -> None:
        tls = None
        with contextlib.suppress(OSError, TimeoutError):
            tls = await asyncio.get_running_loop().start_tls(
                connection, self, renewed.context, server_side=True, ssl_handshake_timeout=HANDSHAKE
            )
        if tls is None or tls.is_closing():
            self._leave()
            connection.abort()
        else:
            self._hand_over(tls, self._leave)

    def data_received(self, data: bytes) -> None:
        self._early.append(data)  # the first words may come with the end of the handshake

    def eof_received(self) -> bool:
        self._ended = True
        return False


def _open_files() -> int:
    """How many files this process may have open, after raising the limit as far as the machine lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    return 1_000_000 if soft == resource.RLIM_INFINITY else soft
