"""The process over a real stream: from a published batch to an alarm, once, across a restart."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from haitang.base import clock
from haitang.base import settings as base
from haitang.base.declarations.in_force import holding
from haitang.hub.business.cases.models import Case
from haitang.hub.data.lake.buckets import micros
from haitang.hub.data.rules import process
from haitang.hub.data.rules.models import Alarm, ConsumerOffset
from haitang.support.infrastructure.stream.client import connect
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.people.models import Organization
from tests.hub.data.fresh import HOUR, batch, reading
from tests.hub.data.shipped import shipped
from tests.support.infrastructure.nats_server import NatsServer


@pytest.fixture
def stream(transactional_db: None, tmp_path: Path) -> Iterator[NatsServer]:
    """A NATS server of its own, one station, what ships in force."""
    Organization.objects.create(id="ecology", title="区生态环境局", fills=["ecology_bureau"])
    Thing.objects.create(id="s1", title="试验站", device="air_station", organization_id="ecology", mn="s1")
    before, server = base.settings(), NatsServer(tmp_path)
    server.start()
    base.use(replace(before, nats_url=server.url))
    with holding(shipped()):
        yield server
    base.use(before)
    server.stop()


async def judged(messages: int) -> None:
    """Run the process until it has taken in so many messages."""
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(stop))

    def taken() -> int:
        try:
            found = ConsumerOffset.objects.filter(name="rules").first()
            return sum(last - first + 1 for first, last in found.ranges) if found else 0
        finally:
            connection.close()

    count: Callable[[], object] = sync_to_async(taken)
    async with asyncio.timeout(60):
        while await count() < messages:  # type: ignore[misc,operator]
            await asyncio.sleep(0.1)
    stop.set()
    await running


def test_published_hours_become_one_alarm_and_one_case_across_a_restart(stream: NatsServer) -> None:
    start = micros(clock.now()) // HOUR * HOUR - 3 * HOUR  # an alarm of long ago would open no case

    async def hours(first: int, *values: float) -> None:
        publisher = await connect()
        await publisher.ensure()
        for number, value in enumerate(values, first):
            await publisher.publish(batch(reading(value, at=start + number * HOUR)))
        await publisher.close()

    async def through() -> None:
        await hours(0, 120)
        await judged(1)
        await hours(1, 130, 140)
        await judged(3)

    asyncio.run(through())
    assert [(a.rule, a.value, a.origin) for a in Alarm.objects.all()] == [("pm2_5_exceeds", 130, "simulated")]
    assert [c.origin for c in Case.objects.all()] == ["simulated"]
