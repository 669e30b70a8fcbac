"""Connections of the HTTP port: so many in all and from one address, and a request's head must come in time."""

import asyncio
from collections import Counter
from typing import Any

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners.places import Places

HEAD = 30.0  # seconds in which the head of a request must have come
FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nCache-Control: no-store\r\n"
    b"Content-Type: application/json\r\nContent-Length: 28\r\n\r\n"
    b'{"code":"server.overloaded"}'
)
turned_away: Counter[str] = Counter()
_places = Places()


def there() -> int:
    """Connections now."""
    return _places.total()


def guarded(kind: type[Any]) -> type[Any]:
    """uvicorn's protocol `kind`, with the limits of the settings."""
    _places.most, _places.most_of_address = settings().page_connections, settings().page_connections_of_address
    return type("Guarded", (_Guarded, kind), {})


class _Guarded:
    """What stands before a protocol of uvicorn (the next class): who finds no place, or sends in drops, does not stay."""

    _address = ""
    _slow: asyncio.TimerHandle | None = None
    # of uvicorn's protocol
    transport: asyncio.Transport
    loop: asyncio.AbstractEventLoop
    cycle: Any
    timeout_keep_alive_task: asyncio.TimerHandle | None

    def connection_made(self, transport: asyncio.Transport) -> None:
        address = str((transport.get_extra_info("peername") or ("?",))[0])
        if _places.enter(address):
            turned_away["connections"] += 1
            super().connection_made(transport)  # type: ignore[misc]
            transport.write(FULL)
            transport.close()
            return
        self._address = address
        super().connection_made(transport)  # type: ignore[misc]
        self._watch()

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            super().data_received(data)  # type: ignore[misc]
            self._watch()

    def connection_lost(self, reason: Exception | None) -> None:
        if self._slow:
            self._slow.cancel()
        if self._address:
            _places.leave(self._address)
        super().connection_lost(reason)  # type: ignore[misc]

    def _watch(self) -> None:
        """While no request is under way, one that has begun must become whole."""
        if self._slow is None and self._idle():
            self._slow = self.loop.call_later(HEAD, self._look, self.cycle)

    def _idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _look(self, before: Any) -> None:
        """Between two requests uvicorn's own time of keeping alive runs; where it does not, one has begun."""
        self._slow = None
        if not self._idle() or self.timeout_keep_alive_task is not None or self.transport.is_closing():
            return
        if self.cycle is before:
            turned_away["too_slow"] += 1
            self.transport.close()
        else:
            self._slow = self.loop.call_later(HEAD, self._look, self.cycle)
