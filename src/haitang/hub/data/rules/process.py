"""The process `rules`: the stream's durable consumer `rules` to alarms and cases."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, connections

from haitang.base.pace import Pace
from haitang.hub.data.rules.engine import NAME, Engine
from haitang.support.infrastructure.stream.client import Stream
from haitang.support.infrastructure.stream.serving import serve_until

AT_ONCE = 256  # messages judged together
SETTLE = 1.0  # seconds after which what was judged is written and acknowledged; an alarm is written at once
SHARE, LONGEST = 10, 10.0  # writing waits so many times as long as it takes, but at most so many seconds
MOST = 200_000  # observations judged and not written
WAIT = 0.5  # seconds to wait for a message
TICK = 20.0  # seconds between two looks at the clock


async def run(stop: asyncio.Event) -> None:
    """Judge until `stop`. After an error nothing is acknowledged; the stream delivers again and the offset tells what was taken in."""
    await serve_until(stop, _serve, name=NAME)


async def _serve(stream: Stream, stop: asyncio.Event) -> None:
    engine, consumer = Engine(await stream.identity()), stream.consumer(NAME)
    loop, ticked, due = asyncio.get_running_loop(), time.monotonic(), 0.0
    pace = Pace(times=SHARE, least=SETTLE, most=LONGEST)
    judged: list[Callable[[], Awaitable[None]]] = []  # their acknowledgements
    with ThreadPoolExecutor(1, thread_name_prefix="rules") as thread:

        async def work(function: Callable[[], object]) -> None:
            await loop.run_in_executor(thread, _with_database, function)

        try:
            while not (stop.is_set() and not judged):
                delivered = [] if stop.is_set() else await consumer.fetch(AT_ONCE, SETTLE if not judged else SETTLE / 4, at_once=True)
                if delivered:
                    numbered = [(message.seq, message.batch) for message in delivered]
                    await work(lambda todo=numbered: engine.absorb(todo))  # type: ignore[misc]
                    judged += [message.ack for message in delivered]
                if engine.told:
                    await work(engine.tell)
                began = time.monotonic()
                if judged and (not delivered or began >= due or engine.unwritten >= MOST):
                    await work(engine.write)
                    for ack in judged:
                        await ack()
                    judged, ended = [], time.monotonic()
                    due = ended + pace.rest(ended - began)
                if time.monotonic() - ticked >= TICK and not judged:
                    caught_up = not delivered and await stream.pending(NAME) == 0
                    await work(lambda calm=caught_up: engine.tick(caught_up=calm))  # type: ignore[misc]
                    ticked = time.monotonic()
        finally:
            await loop.run_in_executor(thread, connections.close_all)


def _with_database(work: Callable[[], object]) -> None:
    """Run in the thread that owns the database connection; drop one that the server has closed."""
    close_old_connections()
    try:
        work()
    finally:
        close_old_connections()
