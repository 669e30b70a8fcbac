"""The writer: the stream's durable consumer `writer` to the lake.

Fetch, one transaction, acknowledge, then what follows from it. A transaction costs as much for one row as for thousands, so messages gather for a moment
between two, and batches grow with the load. After an error
nothing is acknowledged; everything is opened anew and the stream delivers again.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from haitang.hub.data.lake.session import Session
from haitang.support.infrastructure.stream.client import Delivered, Stream
from haitang.support.infrastructure.stream.messages import Batch
from haitang.support.infrastructure.stream.serving import serve_until

NAME = "writer"
NICE = 10  # what it has not written yet is safe on the stream: answers, alarms and pages go first when the processors are few

AT_ONCE = 256  # messages in one transaction
WAIT, SOON = 0.5, 0.1  # seconds to wait for a message, and while something else is being written into the lake
GATHER = 0.2  # seconds between two transactions in which messages gather


async def run(stop: asyncio.Event) -> None:
    """Write until `stop`."""
    await serve_until(stop, _serve, name=NAME)


async def _serve(stream: Stream, stop: asyncio.Event) -> None:
    identity = await stream.identity()
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="lake") as thread:
        session = await loop.run_in_executor(thread, Session, identity)
        try:
            consumer, began, busy = stream.consumer("writer"), 0.0, False
            while not stop.is_set():
                await asyncio.sleep(max(0.0, began + GATHER - loop.time()))
                if delivered := await consumer.fetch(AT_ONCE, SOON if busy else WAIT):
                    began = loop.time()
                    before = session.writer.position
                    written = await loop.run_in_executor(thread, session.store, _numbered(delivered))
                    for message in delivered:
                        await message.ack()
                    await loop.run_in_executor(thread, session.follow, written, before)
                busy = await loop.run_in_executor(thread, session.upkeep)
        finally:
            await loop.run_in_executor(thread, session.close)


def _numbered(delivered: list[Delivered]) -> list[tuple[int, Batch]]:
    return [(message.seq, message.batch) for message in delivered]
