"""Sessions: what outlives a connection (3.1.1 and 5, section 4.1). They live in memory: what must not be lost, observations and commands, lies elsewhere."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

LONGEST = 7 * 24 * 3600  # seconds that a session may outlive its connection
FOREVER = 0xFFFF_FFFF
MOST = 100_000


@dataclass
class Session:
    """Of one client id of one thing. `received`: packet ids of QoS 2 messages that are stored and not yet released; `sent`: commands not yet acknowledged."""

    thing: str
    client_id: str
    subscriptions: dict[str, int] = field(default_factory=dict)
    received: set[int] = field(default_factory=set)
    sent: dict[int, str] = field(default_factory=dict)
    expiry: int = 0
    ends_at: float | None = None  # monotonic; None while connected
    connection: Any = None
    will: asyncio.Task[None] | None = None
    _ids: "itertools.cycle[int]" = field(default_factory=lambda: itertools.cycle(range(1, 65536)))

    def next_id(self) -> int:
        return next(number for number in self._ids if number not in self.sent)

    def leave(self) -> None:
        """The connection has ended."""
        self.connection, self.ends_at = None, time.monotonic() + self.expiry


class Sessions:
    """All of them. A client id belongs to its thing: no device can take another's session over."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Session] = {}

    def open(self, thing: str, client_id: str, *, clean: bool) -> tuple[Session, bool]:
        """The session to go on with, and whether it was there."""
        key = (thing, client_id)
        found = self._all.get(key)
        if found and found.will:
            found.will.cancel()  # connected again before the will was due
        if found is None or clean or self._ended(found):
            self._all[key] = Session(thing, client_id)
            return self._all[key], False
        return found, True

    def connection_of(self, thing: str, client_id: str) -> Any:
        found = self._all.get((thing, client_id))
        return found.connection if found else None

    def connected(self) -> list[Session]:
        return [session for session in self._all.values() if session.connection]

    def forget_ended(self) -> None:
        """Drop what nobody comes back for; beyond MOST, the oldest that are not connected."""
        gone = [key for key, session in self._all.items() if self._ended(session)]
        waiting = [key for key, session in self._all.items() if session.connection is None]
        for key in {*gone, *waiting[: max(0, len(self._all) - MOST)]}:
            del self._all[key]

    def _ended(self, session: Session) -> bool:
        return session.connection is None and session.ends_at is not None and time.monotonic() >= session.ends_at


def expiry_of(asked: int) -> int:
    """Seconds that a session is kept: what was asked, but not longer than LONGEST."""
    return min(asked, LONGEST)
