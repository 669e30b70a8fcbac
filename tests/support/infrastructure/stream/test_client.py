"""An acknowledged batch is on the stream, once, until every durable consumer is done with it."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haitang.base.ids import new_id
from haitang.base.settings import settings, use
from haitang.support.infrastructure.stream import client, unanswered
from haitang.support.infrastructure.stream.client import Consumer, Delivered, Stream, StreamUnavailable, connect
from haitang.support.infrastructure.stream.messages import Batch, Observation
from tests.support.infrastructure.nats_server import PATIENCE, NatsServer, answered
from tests.waiting import until


def batch(value: float = 1.0) -> Batch:
    seen = Observation("500111", "t1", "pm2_5", "instant", 10, 10, "ug/m3", "normal", "simulated", f"test:{value}", 20, number=value)
    return Batch(str(new_id()), "test", 20, "", [seen])


@pytest.fixture
def slow_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may take long to answer and to look through what nobody acknowledged; that it does so at once, and not after ACK_WAIT, is seen all the same."""
    for name, seconds in (("ANSWERED", 20.0), ("ATTEMPT", 20.0), ("LOOKED_THROUGH", 2.0)):
        monkeypatch.setattr(client, name, seconds)


async def taken(consumer: Consumer, count: int) -> list[Delivered]:
    """So many messages, in however many answers they come."""
    found: list[Delivered] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            found += await consumer.fetch()
    return found


async def until_pending(stream: Stream, consumer: str, count: int) -> None:
    """Acknowledgements are on their way for a moment."""
    async with asyncio.timeout(PATIENCE):
        while await answered(lambda: stream.pending(consumer)) != count:
            await asyncio.sleep(0.05)


def test_each_consumer_gets_each_batch_until_it_acknowledges(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        await stream.ensure()
        sent = [batch(n) for n in range(5)]
        seqs = [await stream.publish(b) for b in sent]
        assert seqs == [1, 2, 3, 4, 5]
        for name in ("writer", "rules"):
            got = await taken(stream.consumer(name), 5)
            assert [(d.seq, d.batch) for d in got] == list(zip(seqs, sent, strict=True))
            for delivered in got[:3]:
                await delivered.ack()
            await until_pending(stream, name, 2)
        await stream.close()

    asyncio.run(play())


def test_a_stream_is_made_by_a_server_that_takes_long_for_it(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        nats_server.stand_still()
        making = asyncio.create_task(stream.ensure())
        await asyncio.sleep(client.ATTEMPT + 0.5)
        nats_server.go_on()
        await making
        assert await stream.publish(batch()) == 1
        await stream.close()

    asyncio.run(play())


def test_a_consumer_is_done_with_what_was_there_though_more_comes(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()

        async def done(consumer: str, number: int) -> bool:
            return await answered(lambda: stream.is_done(consumer, number))

        assert await answered(stream.last) == 0
        assert await done("writer", 0)
        for n in range(3):
            await stream.publish(batch(n))
        last = await answered(stream.last)
        got = await taken(stream.consumer("writer"), 3)
        assert not await done("writer", last)
        await stream.publish(batch(9))
        for delivered in got:
            await delivered.ack()
        await until_pending(stream, "writer", 1)
        assert await done("writer", last)
        assert not await done("writer", last + 1)
        assert not await done("rules", last)
        await stream.close()

    asyncio.run(play())


def test_a_batch_published_twice_is_stored_once(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        one = batch()
        assert await stream.publish(one) == await stream.publish(one)
        consumer = stream.consumer("writer")
        assert len(await taken(consumer, 1)) == 1
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
        assert await answered(stream.last) == len(acknowledged)
        stored = [d.batch.id for d in await taken(stream.consumer("writer"), len(acknowledged))]
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


@pytest.mark.usefixtures("slow_machine")
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


@pytest.mark.usefixtures("slow_machine")
def test_what_a_consumer_that_is_gone_did_not_acknowledge_comes_again_at_once(nats_server: NatsServer) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        for n in range(3):
            await stream.publish(batch(n))
        gone = await connect(nats_server.url)
        first, *_ = await taken(gone.consumer("writer"), 3)
        await first.ack()
        await until_pending(gone, "writer", 2)
        await gone.close()
        began = time.monotonic()
        assert [each.seq for each in await stream.consumer("writer").fetch(at_once=True)] == [2, 3]
        assert time.monotonic() - began < client.ACK_WAIT / 2
        await stream.close()

    asyncio.run(play())


def test_a_message_that_came_just_before_the_server_fell_silent_is_given(nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "ANSWERED", 8.0)  # the last answer does not come
    monkeypatch.setattr(client, "ATTEMPT", 20.0)

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
        coming = asyncio.create_task(consumer.fetch(wait=60, at_once=True))
        await until(lambda: times)
        publishing = asyncio.create_task(stream.publish(batch()))  # its acknowledgement may come late
        assert [each.seq for each in await coming] == [1]
        assert times[:2] == [0, 1]
        nats_server.go_on()
        await publishing
        await stream.close()

    asyncio.run(play())


@pytest.mark.usefixtures("slow_machine")
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
        assert time.monotonic() - began < client.ACK_WAIT / 2
        await starting
        await stream.close()

    asyncio.run(play())


@pytest.mark.usefixtures("slow_machine")
def test_what_was_delivered_into_a_connection_that_broke_comes_again_at_once(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        stream = await connect(nats_server.url)
        await stream.ensure()
        await stream.publish(batch())
        consumer = stream.consumer("rules")
        assert len(await consumer.fetch(at_once=True)) == 1
        assert await consumer.fetch(wait=0.3, at_once=True) == []
        monkeypatch.setattr(client, "ANSWERED", 1.0)  # what is asked of a broken connection is not answered
        monkeypatch.setattr(client, "ATTEMPT", 2.0)
        nats_server.kill()
        nats_server.start()
        began, again = time.monotonic(), []
        while not again and time.monotonic() - began < client.ACK_WAIT / 2:
            again = await consumer.fetch(at_once=True)
        assert [each.seq for each in again] == [1]
        await stream.close()

    asyncio.run(play())


def test_a_publisher_whose_connection_breaks_waits_for_no_answer_and_does_not_call_the_stream_silent(
    nats_server: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "ATTEMPT", 60.0)  # whoever waited for the answer would wait as long
    before = settings()
    use(replace(before, data=tmp_path))
    settings().run.mkdir()

    async def play() -> float:
        stream = await connect(nats_server.url)
        await stream.ensure()
        nats_server.stand_still()
        trying = asyncio.create_task(stream.publish(batch(), deadline=100))
        await asyncio.sleep(0.5)
        nats_server.kill()
        nats_server.start()
        began = time.monotonic()
        await trying
        await stream.close()
        return time.monotonic() - began

    try:
        assert asyncio.run(play()) < 30
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
        trying = asyncio.create_task(stream.publish(batch(), deadline=90))
        await until(lambda: unanswered.is_said(settings().run), 20)  # an attempt takes two seconds, and a busy machine longer
        nats_server.go_on()
        await trying
        assert not unanswered.is_said(settings().run)
        await stream.close()

    try:
        asyncio.run(play())
    finally:
        use(before)
