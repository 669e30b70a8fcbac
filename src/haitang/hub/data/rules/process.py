"""The process `rules`: the stream's durable consumer `rules` to alarms and cases."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import close_old_connections, connections

from haitang.hub.data.rules.engine import NAME, Engine
from haitang.support.infrastructure.stream.client import Delivered, Stream
from haitang.support.infrastructure.stream.serving import serve_until

AT_ONCE = 256  # messages judged together
SETTLE = 1.0  # seconds after which what was judged is written though nothing happened; an alarm is written at once
WAIT = 0.5  # seconds to wait for a message
TICK = 20.0  # seconds between two looks at the clock


async def run(stop: asyncio.Event) -> None:
    """Judge until `stop`. After an error nothing is acknowledged; the stream delivers again and the offset tells what was taken in."""
    await serve_until(stop, _serve, name=NAME)


async def _serve(stream: Stream, stop: asyncio.Event) -> None:
    engine, consumer = Engine(await stream.identity()), stream.consumer(NAME)
    loop, ticked, written = asyncio.get_running_loop(), time.monotonic(), time.monotonic()
    judged: list[Delivered] = []
    with ThreadPoolExecutor(1, thread_name_prefix="rules") as thread:
        try:
            while not (stop.is_set() and not judged):
                delivered = [] if stop.is_set() else await consumer.fetch(AT_ONCE, SETTLE if not judged else SETTLE / 4)
                if delivered:
                    numbered = [(message.seq, message.batch) for message in delivered]
                    await loop.run_in_executor(thread, _with_database, lambda todo=numbered: engine.absorb(todo))
                    judged += delivered
                if judged and (engine.told or not delivered or time.monotonic() - written >= SETTLE):
                    await loop.run_in_executor(thread, _with_database, engine.write)
                    for message in judged:
                        await message.ack()
                    judged, written = [], time.monotonic()
                if time.monotonic() - ticked >= TICK and not judged:
                    caught_up = not delivered and await stream.pending(NAME) == 0
                    await loop.run_in_executor(thread, _with_database, lambda calm=caught_up: engine.tick(caught_up=calm))
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
