"""An acknowledged batch is on the stream, once, until every durable consumer is done with it."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haitang.base.ids import new_id
from haitang.base.settings import settings, use
from haitang.support.infrastructure.stream import unanswered
from haitang.support.infrastructure.stream.client import StreamUnavailable, connect
from haitang.support.infrastructure.stream.messages import Batch, Observation
from tests.support.infrastructure.nats_server import NatsServer


def batch(value: float = 1.0) -> Batch:
    seen = Observation("500111", "t1", "pm2_5", "instant", 10, 10, "ug/m3", "normal", "simulated", f"test:{value}", 20, number=value)
    return Batch(str(new_id()), "test", 20, "", [seen])


def test_each_consumer_gets_each_batch_until_it_acknowledges(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        await stream.ensure()
        sent = [batch(n) for n in range(5)]
        seqs = [await stream.publish(b) for b in sent]
        assert seqs == [1, 2, 3, 4, 5]
        for name in ("writer", "rules"):
            got = await stream.consumer(name).fetch()
            assert [(d.seq, d.batch) for d in got] == list(zip(seqs, sent, strict=True))
            for delivered in got[:3]:
                await delivered.ack()
            await asyncio.sleep(0.1)
            assert await stream.pending(name) == 2
        await stream.close()

    asyncio.run(play())


def test_a_consumer_is_done_with_what_was_there_though_more_comes(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        assert await stream.last() == 0
        assert await stream.is_done("writer", 0)
        for n in range(3):
            await stream.publish(batch(n))
        last = await stream.last()
        got = await stream.consumer("writer").fetch()
        assert not await stream.is_done("writer", last)
        await stream.publish(batch(9))
        for delivered in got:
            await delivered.ack()
        await asyncio.sleep(0.1)
        assert await stream.is_done("writer", last)
        assert not await stream.is_done("writer", last + 1)
        assert not await stream.is_done("rules", last)
        await stream.close()

    asyncio.run(play())


def test_a_batch_published_twice_is_stored_once(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        one = batch()
        assert await stream.publish(one) == await stream.publish(one)
        consumer = stream.consumer("writer")
        assert len(await consumer.fetch()) == 1
        assert await consumer.fetch(wait=0.1) == []
        await stream.close()

    asyncio.run(play())


def test_what_was_acknowledged_survives_kill_9_of_the_server(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        acknowledged: list[str] = []

        async def load() -> None:
            for n in range(400):
                one = batch(n)
                await stream.publish(one)
                acknowledged.append(one.id)

        running = asyncio.create_task(load())
        for _ in range(2):
            await asyncio.sleep(0.1)
            nats_server.kill()
            nats_server.start()
        await running
        consumer, stored = stream.consumer("writer"), []
        while got := await consumer.fetch(wait=1):
            stored += [d.batch.id for d in got]
        assert stored == acknowledged
        await stream.close()

    asyncio.run(play())


def test_publishing_gives_up_at_its_deadline(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        nats_server.kill()
        with pytest.raises(StreamUnavailable, match="没有确认"):
            await stream.publish(batch(), deadline=0.5)
        await stream.close()

    asyncio.run(play())


def test_fetched_at_once_is_what_is_there_and_nothing_is_left_behind(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        consumer = stream.consumer("rules")
        assert await consumer.fetch(wait=0.2, at_once=True) == []
        seqs = [await stream.publish(batch(n)) for n in range(3)]
        async with asyncio.timeout(60):  # waiting would take longer
            got = await consumer.fetch(wait=100, at_once=True)
            assert [d.seq for d in got] == seqs
            fetching = asyncio.create_task(consumer.fetch(wait=100, at_once=True))
            await asyncio.sleep(0.1)
            seqs.append(await stream.publish(batch(3)))
            got += await fetching
            for n in range(4, 9):
                seqs.append(await stream.publish(batch(n)))
            while len(got) < 9:
                got += await consumer.fetch(max_batches=2, wait=100, at_once=True)
        assert [d.seq for d in got] == seqs
        for delivered in got:
            await delivered.ack()
        nats_server.kill()
        await asyncio.to_thread(nats_server.start)
        last = await stream.publish(batch(9))
        seen: set[int] = set()
        async with asyncio.timeout(60):
            while last not in seen:  # acknowledgements that the server had not written down bring their messages again
                seen |= {d.seq for d in await consumer.fetch(at_once=True)}
        await stream.close()

    asyncio.run(play())


def test_what_a_consumer_that_is_gone_did_not_acknowledge_comes_again_at_once(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        for n in range(3):
            await stream.publish(batch(n))
        gone = await connect(nats_server.url)
        first, *_ = await gone.consumer("writer").fetch()
        await first.ack()
        await gone.close()
        began = time.monotonic()
        assert [each.seq for each in await stream.consumer("writer").fetch(at_once=True)] == [2, 3]
        assert time.monotonic() - began < 2
        await stream.close()

    asyncio.run(play())


def test_a_message_that_came_just_before_the_server_fell_silent_is_given(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        consumer = stream.consumer("rules")
        asked, times = consumer._asked, []

        async def silent_after_it(*how: Any) -> Any:
            found = await asked(*how)
            times.append(len(found))
            if found:
                nats_server.stand_still()
            return found

        consumer._asked = silent_after_it  # type: ignore[method-assign]
        coming = asyncio.create_task(consumer.fetch(wait=5, at_once=True))
        await asyncio.sleep(0.5)
        await stream.publish(batch())
        assert [each.seq for each in await coming] == [1]
        assert times[:2] == [0, 1]
        nats_server.go_on()
        await stream.close()

    asyncio.run(play())


def test_it_comes_again_at_once_though_other_processes_start_just_then(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        await stream.publish(batch())
        assert len(await stream.consumer("writer").fetch(at_once=True)) == 1
        began = time.monotonic()

        async def others() -> None:
            while time.monotonic() - began < 1.5:
                await stream.ensure()
                await asyncio.sleep(0.02)

        starting = asyncio.create_task(others())
        assert [each.seq for each in await stream.consumer("writer").fetch(at_once=True)] == [1]
        assert time.monotonic() - began < 5
        await starting
        await stream.close()

    asyncio.run(play())


def test_what_was_delivered_into_a_connection_that_broke_comes_again_at_once(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        await stream.publish(batch())
        consumer = stream.consumer("rules")
        assert len(await consumer.fetch(at_once=True)) == 1
        assert await consumer.fetch(wait=0.3, at_once=True) == []
        nats_server.kill()
        nats_server.start()
        began, again = time.monotonic(), []
        while not again and time.monotonic() - began < 30:
            again = await consumer.fetch(at_once=True)
        assert [each.seq for each in again] == [1]
        assert time.monotonic() - began < 5
        await stream.close()

    asyncio.run(play())


def test_a_publisher_whose_connection_breaks_waits_for_no_answer_and_does_not_call_the_stream_silent(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    before = settings()
    use(replace(before, data=tmp_path))
    settings().run.mkdir()

    async def play() -> float:
        stream = await connect(nats_server.url)
        await stream.ensure()
        nats_server.stand_still()
        trying = asyncio.create_task(stream.publish(batch()))
        await asyncio.sleep(0.5)
        nats_server.kill()
        nats_server.start()
        began = time.monotonic()
        await trying
        await stream.close()
        return time.monotonic() - began

    try:
        assert asyncio.run(play()) < 1.2
        assert not unanswered.is_said(settings().run)
    finally:
        use(before)


def test_a_stream_that_answers_again_is_not_called_silent_any_more(nats_server: NatsServer, tmp_path: Path) -> None:
    before = settings()
    use(replace(before, data=tmp_path))
    settings().run.mkdir()

    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        nats_server.stand_still()
        trying = asyncio.create_task(stream.publish(batch()))
        async with asyncio.timeout(20):  # an attempt takes two seconds, and a busy machine longer
            while not unanswered.is_said(settings().run):
                await asyncio.sleep(0.05)
        nats_server.go_on()
        await trying
        assert not unanswered.is_said(settings().run)
        await stream.close()

    try:
        asyncio.run(play())
    finally:
        use(before)
