"""A listener in this process: real sockets, real NATS, real PostgreSQL, two declared device types."""

import asyncio
import dataclasses
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from haitang.base import settings as ours
from haitang.base.declarations import Declarations, in_force, put_in_force
from haitang.support.infrastructure.listeners.hj212 import process
from haitang.support.infrastructure.stream.client import connect
from haitang.support.infrastructure.stream.messages import Batch
from haitang.support.infrastructure.things.kinds import Device, Hj212, Observed
from tests.ports import free_port
from tests.support.infrastructure.nats_server import NatsServer, answered
from tests.waiting import until

AIR = Device(
    title="空气站",
    hj212=Hj212(system=22),
    observes={
        "pm2_5": Observed(title="细颗粒物", unit="ug/m3", range=(0, 1000), hj212="a34004"),
        "co": Observed(title="一氧化碳", unit="mg/m3", hj212="a21005"),
    },
)
RIVER = Device(title="水站", hj212=Hj212(system=21), observes={"ph": Observed(title="pH", unit="", range=(0, 14), hj212="w01001")})


@pytest.fixture
def declared() -> Iterator[None]:
    before = in_force() if _something_in_force() else None
    put_in_force(Declarations("r1", {"device": {"air_station": AIR, "river_station": RIVER}}))
    yield
    put_in_force(before or Declarations("", {}))


def _something_in_force() -> bool:
    try:
        in_force()
    except Exception:
        return False
    return True


class Platform:
    """Where the listener listens, and what has come onto the stream."""

    def __init__(self, port: int, nats: NatsServer, run: Path) -> None:
        self.port, self.nats, self.run = port, nats, run

    def told(self) -> dict[str, Any]:
        """What the listener counts and holds."""
        found: dict[str, Any] = json.loads((self.run / "hj212.json").read_text("utf-8"))
        return {**found["counters"], **found["now"]}

    async def stored(self) -> list[Batch]:
        """Everything on the stream so far."""
        stream = await connect(self.nats.url)
        found: dict[int, Batch] = {}
        consumer, last = stream.consumer("writer"), await answered(stream.last)
        async with asyncio.timeout(60):
            while len(found) < last:  # nothing is acknowledged here: all of it is still there
                found |= {d.seq: d.batch for d in await consumer.fetch(max_batches=500, wait=0.3)}
        await stream.close()
        return [found[seq] for seq in sorted(found)]

    async def until_told(self, **what: int) -> None:
        """Until the counters say so, which the listener writes down every second; fails with what they say instead."""

        def said() -> dict[str, int]:
            return {name: self.told()[name] for name in what}

        with suppress(TimeoutError):
            await until(lambda: said() == what)
        assert said() == what


Listening = Callable[..., AbstractAsyncContextManager[Platform]]


@pytest.fixture
def listening(nats_server: NatsServer, tmp_path: Path, declared: None, transactional_db: None) -> Iterator[Listening]:
    before = ours.settings()

    @asynccontextmanager
    async def start(*, admit: bool = False, **more: Any) -> AsyncIterator[Platform]:
        port = free_port()
        used = {"data": tmp_path, "host": "127.0.0.1", "hj212": port, "hj212_admit": admit, "nats_url": nats_server.url}
        ours.use(dataclasses.replace(before, **{**used, **more}))
        stop = asyncio.Event()
        running = asyncio.create_task(process.run(stop))
        while not running.done():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            await asyncio.sleep(0.05)
        while not running.done() and not (tmp_path / "run/hj212.json").is_file():
            await asyncio.sleep(0.05)
        try:
            yield Platform(port, nats_server, tmp_path / "run")
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)

    yield start
    ours.use(before)
