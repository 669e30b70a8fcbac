"""The process `mqtt`: listens for devices that speak MQTT 3.1.1 or 5, stores what they publish, acknowledges, hands them their commands."""

import asyncio
import contextlib

import structlog

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners import serving
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.directory import Directory
from haitang.support.infrastructure.listeners.feeds.feeds import Feeds
from haitang.support.infrastructure.listeners.gate import COUNTED as TURNED
from haitang.support.infrastructure.listeners.gate import Entrance, Gate
from haitang.support.infrastructure.listeners.mqtt import reasons
from haitang.support.infrastructure.listeners.mqtt.commands import Commands
from haitang.support.infrastructure.listeners.mqtt.connection import Connection
from haitang.support.infrastructure.listeners.mqtt.hub import Hub
from haitang.support.infrastructure.stream.client import connect
from haitang.support.security.tls.contexts import served

log = structlog.get_logger()
NAME = "mqtt"
LINGER = 3.0  # seconds at the end for what is queued to be stored and acknowledged
COUNTED = (
    "connections", "refused", "malformed", "received", "acknowledged", "not_authorized", "revoked", "wills", "set_aside", "published",
    "batches", "stream_waits", *TURNED,
)  # fmt: skip


async def run(stop: asyncio.Event) -> None:
    """Listen until `stop`."""
    directory, counters = Directory(NAME), Counters(f"{NAME}.json", COUNTED)
    stream = await connect()
    await stream.ensure()
    await directory.open()
    batcher = Batcher(stream, counters, lambda: directory.view.release, NAME)
    hub = Hub(directory, batcher, counters, Commands(directory))
    renewed = served("mqtt")
    server = Entrance(Gate.of_settings(counters), renewed, lambda: Connection(hub))
    server.open(settings().host, settings().mqtt)
    listens = f"{settings().host}:{settings().mqtt}"
    work = [
        asyncio.create_task(each)
        for each in (
            batcher.run(),
            directory.keep_fresh(),
            hub.keep_swept(),
            Feeds(stream, directory).run(),
            counters.keep_written(settings().run, listens=listens),
            *([renewed.keep_fresh()] if renewed else []),
        )
    ]
    log.info("mqtt.listens", address=listens)
    try:
        await serving.until(stop, work)
    finally:
        server.close()
        for connection in list(hub.connections):
            connection.end(reasons.SHUTTING_DOWN)
        for stranger in hub.all - hub.connections:
            stranger.transport.close()
        await _gone(hub)
        await serving.end(work)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(batcher.drain(), LINGER)
        counters.write(settings().run, listens=listens)
        await directory.close()
        await stream.close()


async def _gone(hub: Hub) -> None:
    """Wait until the devices have heard why; those that do not listen are left."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER):
            while hub.all:
                await asyncio.sleep(0.05)
    for connection in list(hub.all):
        connection.transport.abort()
