"""How much of devices' messages is held at once: bounded by what they may grow to, so that memory is.

A message weighs what its body may become in memory: its told size, sixfold where it is packed. Who finds no room waits unread, which TCP tells the device; who waits
too long is told to come again (503).
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from haitang.base.errors import error
from haitang.support.infrastructure.listeners.http.body import LARGEST

OVERLOADED = error("http.overloaded", 503, "平台正在接收的数据过多，请稍后用同一消息编号重发。")
TOO_MUCH = error("http.too_much", 429, "同一设备同时发送的数据过多，请等前面的消息得到答复后再发。")
MOST = 96 << 20  # bytes
SHARE = 8  # of it, one thing may hold an eighth
LINE = 512  # messages that may wait
PATIENCE = 10.0  # seconds


class Room:
    """Room for bodies of `most` bytes together."""

    def __init__(self, most: int = MOST) -> None:
        self._free, self._most = most, most
        self._of: Counter[str] = Counter()
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def of(self, request: Request, thing: str) -> AsyncIterator[None]:
        """Hold room for the body of a thing's request; raises OVERLOADED, and TOO_MUCH where the thing alone asks for more than a share of it all."""
        weight = min(weight_of(request), self._most)
        if self._of[thing] and self._of[thing] + weight > self._most // SHARE:
            raise TOO_MUCH()
        self._of[thing] += weight
        try:
            await self._enter(weight)
            try:
                yield
            finally:
                self._free += weight
                self._move_up()
        finally:
            self._of[thing] -= weight
            if not self._of[thing]:
                del self._of[thing]

    async def _enter(self, weight: int) -> None:
        if not self._line and weight <= self._free:
            self._free -= weight
            return
        if len(self._line) >= LINE:
            raise OVERLOADED()
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((weight, place))
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.shield(place)
        except BaseException as reason:
            if place.done():
                self._free += weight
            else:
                self._line.remove((weight, place))
            self._move_up()
            if isinstance(reason, TimeoutError):
                raise OVERLOADED() from None
            raise

    def _move_up(self) -> None:
        while self._line and self._line[0][0] <= self._free:
            weight, place = self._line.popleft()
            self._free -= weight
            place.set_result(None)


def weight_of(request: Request) -> int:
    """Bytes that a body may take; one that does not tell its size may be as large as any."""
    told = request.headers.get("content-length", "")
    size = min(int(told), LARGEST) if told.isascii() and told.isdigit() else LARGEST
    packed = request.headers.get("content-encoding", "identity").strip().lower() != "identity"
    return max(4096, size * (6 if packed else 1))
