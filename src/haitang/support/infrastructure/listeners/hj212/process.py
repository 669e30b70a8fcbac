"""The process `hj212`: listens for stations, stores what they send, answers."""

import asyncio
import contextlib

import structlog

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners import serving
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.gate import Entrance, Gate
from haitang.support.infrastructure.listeners.hj212.connection import Connection, Listener
from haitang.support.infrastructure.listeners.hj212.counters import Counters
from haitang.support.infrastructure.listeners.hj212.links import Links
from haitang.support.infrastructure.listeners.hj212.registry import Registry
from haitang.support.infrastructure.listeners.hj212.sender import Sender
from haitang.support.infrastructure.stream.client import connect
from haitang.support.security.tls.contexts import served

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
    renewed = served("hj212")
    server = Entrance(Gate.of_settings(counters), renewed, lambda: Connection(listener))
    server.open(settings().host, settings().hj212)
    listens = f"{settings().host}:{settings().hj212}"
    work = [
        asyncio.create_task(batcher.run()),
        asyncio.create_task(registry.keep_fresh()),
        asyncio.create_task(sender.run()),
        asyncio.create_task(counters.keep_written(settings().run, listens=listens, admit=settings().hj212_admit)),
    ]
    work += [asyncio.create_task(renewed.keep_fresh())] if renewed else []
    log.info("hj212.listens", address=listens, admit=settings().hj212_admit)
    try:
        await serving.until(stop, work)
    finally:
        server.close()
        await serving.end(work)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(batcher.drain(), LINGER)
        await asyncio.sleep(0)  # what was stored is answered
        for connection in list(listener.connections):
            connection.transport.close()
        counters.write(settings().run, listens=listens, admit=settings().hj212_admit)
        await registry.close()
        await stream.close()
