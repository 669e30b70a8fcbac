"""The process `hj212`: listens for stations, stores what they send, answers."""

import asyncio
import contextlib

import structlog

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners import serving
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.hj212.connection import Listener
from haitang.support.infrastructure.listeners.hj212.counters import Counters
from haitang.support.infrastructure.listeners.hj212.links import Links
from haitang.support.infrastructure.listeners.hj212.registry import Registry
from haitang.support.infrastructure.listeners.hj212.sender import Sender
from haitang.support.infrastructure.stream.client import connect

log = structlog.get_logger()
NAME = "hj212"
LINGER = 3.0  # seconds at the end for what is queued to be stored and answered


async def run(stop: asyncio.Event) -> None:
    """Listen until `stop`."""
    counters, registry = Counters(), Registry(admit=settings().hj212_admit)
    stream = await connect()
    await stream.ensure()
    await registry.refresh()
    batcher = Batcher(stream, counters, lambda: registry.view.release, NAME)
    links = Links()
    sender = Sender(links, registry.off_loop)
    listener = Listener(registry, batcher, counters, links, sender.heard)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.keep_alive(writer)
        task = asyncio.create_task(listener.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, settings().host, settings().hj212, backlog=1024)
    listens = f"{settings().host}:{settings().hj212}"
    work = [
        asyncio.create_task(batcher.run()),
        asyncio.create_task(registry.keep_fresh()),
        asyncio.create_task(sender.run()),
        asyncio.create_task(counters.keep_written(settings().run, listens=listens, admit=settings().hj212_admit)),
    ]
    log.info("hj212.listens", address=listens, admit=settings().hj212_admit)
    try:
        await serving.until(stop, work)
    finally:
        server.close()
        await serving.end([*connections, *work])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(batcher.drain(), LINGER)
        counters.write(settings().run, listens=listens, admit=settings().hj212_admit)
        await registry.close()
        await stream.close()
