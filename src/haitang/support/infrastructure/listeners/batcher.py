"""One publish for all connections.

Batching is natural: whatever has come while the last publish waited for its acknowledgement goes into the next. An idle listener answers at once, a busy one
in batches of at most LARGEST bytes. The queue is bounded; when it is full, connections stop reading and TCP tells the devices to wait.
"""

import asyncio
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


class Counting(Protocol):
    """What the batcher counts into: batches, published, set_aside, stream_waits."""

    def add(self, name: str, number: int = 1) -> None: ...


@dataclass
class _Item:
    observations: list[Observation]
    set_aside: list[SetAside]
    stored: asyncio.Future[None]

    @property
    def weight(self) -> int:
        return 220 * len(self.observations) + sum(300 + 4 * len(s.raw) for s in self.set_aside)


class Batcher:
    """`submit` gives a future that is done once what was submitted is on the stream's disk."""

    def __init__(self, stream: Stream, counters: Counting, release: Callable[[], str], listener: str) -> None:
        self._stream, self._counters, self._release, self._listener = stream, counters, release, listener
        self._queue: asyncio.Queue[_Item] = asyncio.Queue(WAITING)
        self._over: _Item | None = None

    async def submit(self, observations: list[Observation], set_aside: list[SetAside]) -> asyncio.Future[None]:
        """Queue what one packet or message brought; waits while the queue is full."""
        item = _Item(observations, set_aside, asyncio.get_running_loop().create_future())
        await self._queue.put(item)
        return item.stored

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            items = await self._collect()
            await self._store(items)

    async def drain(self) -> None:
        """Publish what is queued now."""
        while self._over or not self._queue.empty():
            await self._store(await self._collect())

    async def _collect(self) -> list[_Item]:
        first, self._over = self._over or await self._queue.get(), None
        items, weight = [first], first.weight
        while not self._queue.empty():
            item = self._queue.get_nowait()
            weight += item.weight
            if weight > LARGEST:
                self._over = item
                break
            items.append(item)
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
                item.stored.cancel()
            if not isinstance(failure, HaitangError):
                raise
            log.error("listener.batch_not_stored", batch=batch.id, listener=self._listener, reason=str(failure))
            return
        self._counters.add("batches")
        self._counters.add("published", len(batch.observations))
        self._counters.add("set_aside", len(batch.set_aside))
        for item in items:
            if not item.stored.done():
                item.stored.set_result(None)

    async def _publish(self, batch: Batch) -> None:
        """The same batch under the same id until it is stored: what wants no answer is never sent again."""
        while True:
            try:
                await self._stream.publish(batch)
                return
            except StreamUnavailable as failure:
                self._counters.add("stream_waits")
                log.warning("listener.stream_away", listener=self._listener, reason=str(failure))
