"""Device listeners in this process: real sockets, real NATS, real PostgreSQL, two declared device types."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop
from django.db import connection

from haitang.base import settings as ours
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, in_force, put_in_force
from haitang.support.infrastructure.credentials.actions import Issued, issue
from haitang.support.infrastructure.stream.client import connect
from haitang.support.infrastructure.stream.messages import Batch, Observation, SetAside
from haitang.support.infrastructure.things.kinds import Command, Device, Message, Observed
from haitang.support.infrastructure.things.models import Thing
from tests.ports import free_port
from tests.support.infrastructure.nats_server import NatsServer, answered

NOISE = Device(
    title="噪声监测仪",
    observes={
        "leq": Observed(title="等效声级", unit="dB", range=(20, 140), statistics=["instant", "hour mean"]),
        "temperature": Observed(title="气温", unit="degC"),
        "door": Observed(title="箱门", unit=""),
    },
    commands={"restart": Command(title="重启", parameters={"delay": "延时（秒）"})},
)
FOREIGN = Device(
    title="第三方水位计",
    message=Message(each="data", time="ts", time_format="milliseconds", id="seq", topic="vendor/{thing}/up"),
    observes={
        "level": Observed(title="水位", unit="m", path="v.level", scale=0.01, range=(0, 50)),
        "flow": Observed(
            title="流量", unit="m3/s", statistics=["instant", "hour mean"], path={"instant": "v.flow", "hour mean": "avg.flow"}
        ),
    },
)


@pytest.fixture
def declared_devices() -> Iterator[None]:
    try:
        before = in_force()
    except Exception:
        before = Declarations("", {})
    put_in_force(Declarations("r1", {"device": {"noise_meter": NOISE, "gauge": FOREIGN}}))
    yield
    put_in_force(before)


def make_thing(id: str, device: str = "noise_meter", origin: str = "live") -> Issued:
    """A thing with a credential."""
    thing = Thing.objects.create(id=id, title=id, device=device, origin=origin)
    with acting(system("operator")) as act:
        return issue(act=act, thing=thing)


class Platform:
    """Where a listener listens, and what has come onto the stream."""

    def __init__(self, port: int, nats: NatsServer, run: Path) -> None:
        self.port, self.nats, self.run = port, nats, run

    async def batches(self) -> list[Batch]:
        """Everything on the stream that was not read yet."""
        stream = await connect(self.nats.url)
        found: list[Batch] = []
        consumer = stream.consumer("writer")
        async with asyncio.timeout(60):
            while await answered(lambda: stream.pending("writer")):
                for each in await consumer.fetch(max_batches=500, at_once=True):
                    found.append(each.batch)
                    await each.ack()
        await stream.close()
        return found

    async def observations(self) -> list[Observation]:
        return [o for batch in await self.batches() for o in batch.observations]

    async def arrived(self, count: int = 1) -> list[Observation]:
        """What was not read yet, once it is so many observations: for what comes without an acknowledgement to its sender."""
        found: list[Observation] = []
        async with asyncio.timeout(60):
            while len(found) < count:
                await asyncio.sleep(0.1)
                found += await self.observations()
        return found

    async def set_aside(self) -> list[SetAside]:
        return [s for batch in await self.batches() for s in batch.set_aside]

    async def thing(self, id: str, device: str = "noise_meter", origin: str = "live") -> Issued:
        return await asyncio.to_thread(_in_thread, make_thing, id, device, origin)  # type: ignore[no-any-return]

    async def database(self, work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        return await asyncio.to_thread(_in_thread, work, *arguments, **more)


def _in_thread(work: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """With a database connection that is closed again: a test database with one open cannot be dropped."""
    try:
        return work(*arguments, **more)
    finally:
        connection.close()


@pytest.fixture
def on_settings(nats_server: NatsServer, tmp_path: Path) -> Iterator[Callable[..., ours.Settings]]:
    """Put settings into use for a test, with the test's own NATS and data directory."""
    before = ours.settings()

    def use(**more: Any) -> ours.Settings:
        ours.use(dataclasses.replace(before, data=tmp_path, host="127.0.0.1", nats_url=nats_server.url, **more))
        return ours.settings()

    yield use
    ours.use(before)


@pytest.fixture
def mqtt(nats_server: NatsServer, tmp_path: Path, declared_devices: None, transactional_db: None, on_settings: Any) -> Any:
    """`async with mqtt() as platform`: the MQTT listener."""
    from haitang.support.infrastructure.listeners.mqtt import process

    @asynccontextmanager
    async def start(**more: Any) -> AsyncIterator[Platform]:
        port, stop = free_port(), asyncio.Event()
        on_settings(mqtt=port, **more)
        running = asyncio.create_task(process.run(stop))
        await _listening(port, running)
        try:
            yield Platform(port, nats_server, tmp_path / "run")
        finally:
            stop.set()
            await asyncio.wait_for(running, 60)

    return start


async def _listening(port: int, running: "asyncio.Task[None]") -> None:
    while not running.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        return
    running.result()


def on_uvloop(work: "Coroutine[Any, Any, None]") -> None:
    """Run as the processes do."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)
