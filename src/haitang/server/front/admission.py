"""What the control plane is asked at once: separate budgets, so that a flood of uploads or API requests takes nothing from sign-in and alarms.

| sort | what | may hold of the control plane's threads |
|---|---|---|
| urgent | sign-in and sessions, second factors, alarms, cockpit and wall, readiness | all |
| ordinary | other pages and small requests of the API | all but a quarter |
| bulk | uploads, exports, whoever comes with an API token, sessions asked for by the data plane | a quarter |

Who finds no room waits in a line of its sort; a full line, or PATIENCE, is answered 503 with Retry-After. Lines are bounded, and so is what is held of bodies: a
small body is read before its turn comes, so that a slow sender holds no thread; a large one is bulk.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request

Sort = Literal["urgent", "ordinary", "bulk"]
SORTS: tuple[Sort, ...] = ("urgent", "ordinary", "bulk")
LINES: dict[Sort, int] = {"urgent": 256, "ordinary": 256, "bulk": 64}  # requests that may wait
PATIENCE: dict[Sort, float] = {"urgent": 30.0, "ordinary": 20.0, "bulk": 10.0}  # seconds
LATER: dict[Sort, int] = {"urgent": 1, "ordinary": 3, "bulk": 10}  # Retry-After, seconds
SMALL = 256 << 10  # bytes of a body that is read before its turn
_URGENT = (
    "/sign-in", "/sign-out", "/api/session", "/account/factors", "/prove", "/personas", "/oidc", "/invitation", "/alarms", "/api/alarms", "/charts/alarms", "/cockpit", "/wall",
    "/ready", "/api/alive",
)  # fmt: skip


class OverloadedError(Exception):
    """No room, and the line is full or did not move; `after`: seconds after which to come again."""

    def __init__(self, sort: Sort) -> None:
        super().__init__(sort)
        self.after = LATER[sort]


def sort_of(request: Request) -> Sort:
    """By what is asked, never by who asks: a stranger must reach the sign-in page."""
    path, size = request.url.path, request.headers.get("content-length", "")
    large = not (size.isascii() and size.isdigit() and int(size) <= SMALL) if _has_body(request) else False
    if large or request.query_params.get("format") == "csv" or request.headers.get("authorization"):
        return "bulk"
    return "urgent" if path == "/" or any(path == each or path.startswith(f"{each}/") for each in _URGENT) else "ordinary"


def _has_body(request: Request) -> bool:
    return "content-length" in request.headers or "transfer-encoding" in request.headers


@dataclass
class Budget:
    """Room for `most` requests at once. Counts what was let in and refused, for the metrics."""

    most: int
    inside: Counter[Sort] = field(default_factory=Counter)
    refused: Counter[Sort] = field(default_factory=Counter)
    _lines: dict[Sort, deque[asyncio.Future[None]]] = field(default_factory=lambda: {sort: deque() for sort in SORTS})

    @asynccontextmanager
    async def room(self, sort: Sort) -> AsyncIterator[None]:
        """Hold a place; raises OverloadedError."""
        await self._enter(sort)
        try:
            yield
        finally:
            self.inside[sort] -= 1
            self._move_up()

    async def _enter(self, sort: Sort) -> None:
        line = self._lines[sort]
        if not line and self._fits(sort):
            self.inside[sort] += 1
            return
        if len(line) >= LINES[sort]:
            self.refused[sort] += 1
            raise OverloadedError(sort)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(place)
        try:
            async with asyncio.timeout(PATIENCE[sort]):
                await asyncio.shield(place)
        except BaseException as reason:
            if place.done():  # its turn came just as it went
                self.inside[sort] -= 1
                self._move_up()
            else:
                line.remove(place)
            if not isinstance(reason, TimeoutError):
                raise
            self.refused[sort] += 1
            raise OverloadedError(sort) from None

    def _fits(self, sort: Sort) -> bool:
        quarter = max(1, self.most // 4)
        if sort == "bulk" and self.inside["bulk"] >= quarter:
            return False
        if sort != "urgent" and self.inside["ordinary"] + self.inside["bulk"] >= max(1, self.most - quarter):
            return False
        return self.inside.total() < self.most

    def _move_up(self) -> None:
        for sort in SORTS:
            line = self._lines[sort]
            while line and self._fits(sort):
                self.inside[sort] += 1
                line.popleft().set_result(None)

    @property
    def waiting(self) -> dict[Sort, int]:
        return {sort: len(line) for sort, line in self._lines.items()}


async def small_body(request: Request) -> bytes | None:
    """A body of at most SMALL told bytes, read whole; None where there is none or it is larger. Raises TimeoutError for who takes longer than SLOW."""
    size = request.headers.get("content-length", "")
    if not (size.isascii() and size.isdigit() and int(size) <= SMALL):
        return None
    async with asyncio.timeout(SLOW):
        return await request.body()


SLOW = 30.0  # seconds in which a small body must have come
