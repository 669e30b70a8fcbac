"""One publish for all connections.

Batching is natural: whatever has come while the last publish waited for its acknowledgement goes into the next. An idle listener answers at once, a busy one
in batches of at most LARGEST bytes, for which it lets a moment pass (GATHER): a few large messages cost the stream and its readers far less than many small
ones. The queue is bounded; when it is full, connections stop reading and TCP tells the devices to wait.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from haitang.base import clock
from haitang.base.errors import HaitangError
from haitang.base.ids import new_id
from haitang.support.infrastructure.listeners.instants import micros
from haitang.support.infrastructure.stream.client import Stream, StreamUnavailable
from haitang.support.infrastructure.stream.messages import Batch, Observation, SetAside

log = structlog.get_logger()
LARGEST = 400_000  # bytes by estimate: below the 1 MB that a NATS server takes by default
WAITING = 2_000  # packets
BUSY = 16  # packets in the last batch, from which on the next is gathered
GATHER = 0.004  # seconds


class Counting(Protocol):
    """What the batcher counts into: batches, published, set_aside, stream_waits."""

    def add(self, name: str, number: int = 1) -> None: ...


Done = Callable[[bool], None]


@dataclass(slots=True)
class _Item:
    observations: list[Observation]
    set_aside: list[SetAside]
    done: Done

    @property
    def weight(self) -> int:
        return 220 * len(self.observations) + sum(300 + 4 * len(s.raw) for s in self.set_aside)


class Batcher:
    """`put` calls back once what was put in is on the stream's disk; `submit` gives a future for it."""

    def __init__(self, stream: Stream, counters: Counting, release: Callable[[], str], listener: str) -> None:
        self._stream, self._counters, self._release, self._listener = stream, counters, release, listener
        self._queue: deque[_Item] = deque()
        self._filled = asyncio.Event()
        self._waiting: list[Callable[[], None]] = []
        self._last = 0

    @property
    def full(self) -> bool:
        """Whether nothing more should be put in now; `when_free` says when."""
        return len(self._queue) >= WAITING

    def when_free(self, call: Callable[[], None]) -> None:
        """Call once, when there is room again."""
        self._waiting.append(call)

    def put(self, observations: list[Observation], set_aside: list[SetAside], done: Done) -> None:
        """Queue what one packet or message brought; `done(stored)` is called from the event loop, in the order of putting."""
        self._queue.append(_Item(observations, set_aside, done))
        self._filled.set()

    async def submit(self, observations: list[Observation], set_aside: list[SetAside]) -> asyncio.Future[None]:
        """Queue what one message brought; waits while the queue is full. The future is done once it is stored, cancelled if it is not."""
        loop = asyncio.get_running_loop()
        while self.full:
            room: asyncio.Future[None] = loop.create_future()
            self.when_free(lambda room=room: room.done() or room.set_result(None))  # type: ignore[misc]
            await room
        stored: asyncio.Future[None] = loop.create_future()
        self.put(observations, set_aside, lambda there: _settle(stored, there))
        return stored

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._filled.wait()
            if self._last >= BUSY and not self.full:
                await asyncio.sleep(GATHER)
            await self._store(self._collect())

    async def drain(self) -> None:
        """Publish what is queued now."""
        while self._queue:
            await self._store(self._collect())

    def _collect(self) -> list[_Item]:
        items, weight = list[_Item](), 0
        while self._queue:
            weight += self._queue[0].weight
            if items and weight > LARGEST:
                break
            items.append(self._queue.popleft())
        if not self._queue:
            self._filled.clear()
        self._last = len(items)
        if self._waiting and not self.full:
            waiting, self._waiting = self._waiting, []
            for call in waiting:
                call()
        return items

    async def _store(self, items: list[_Item]) -> None:
        batch = Batch(
            id=str(new_id()), listener=self._listener, received_at=micros(clock.now()), release=self._release(),
            observations=[o for item in items for o in item.observations], set_aside=[s for item in items for s in item.set_aside],
        )  # fmt: skip
        try:
            await self._publish(batch)
        except BaseException as failure:
            for item in items:
                item.done(False)
            if not isinstance(failure, HaitangError):
                raise
            log.error("listener.batch_not_stored", batch=batch.id, listener=self._listener, reason=str(failure))
            return
        self._counters.add("batches")
        self._counters.add("published", len(batch.observations))
        self._counters.add("set_aside", len(batch.set_aside))
        for item in items:
            item.done(True)

    async def _publish(self, batch: Batch) -> None:
        """The same batch under the same id until it is stored: what wants no answer is never sent again."""
        while True:
            try:
                await self._stream.publish(batch)
                return
            except StreamUnavailable as failure:
                self._counters.add("stream_waits")
                log.warning("listener.stream_away", listener=self._listener, reason=str(failure))


def _settle(stored: "asyncio.Future[None]", there: bool) -> None:
    if stored.done():
        return
    if there:
        stored.set_result(None)
    else:
        stored.cancel()
