"""The process `hj212`: listens for stations, stores what they send, answers."""

import asyncio
import contextlib
import socket

import structlog

from haitang.base.settings import settings
from haitang.support.infrastructure.listeners.hj212.batcher import Batcher
from haitang.support.infrastructure.listeners.hj212.connection import Listener
from haitang.support.infrastructure.listeners.hj212.counters import Counters
from haitang.support.infrastructure.listeners.hj212.registry import Registry
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
    batcher = Batcher(stream, counters, lambda: registry.view.release)
    listener = Listener(registry, batcher, counters)
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _keep_alive(writer)
        task = asyncio.create_task(listener.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, settings().host, settings().hj212, backlog=1024)
    listens = f"{settings().host}:{settings().hj212}"
    work = [
        asyncio.create_task(batcher.run()),
        asyncio.create_task(registry.keep_fresh()),
        asyncio.create_task(counters.keep_written(settings().run, listens=listens, admit=settings().hj212_admit)),
    ]
    log.info("hj212.listens", address=listens, admit=settings().hj212_admit)
    try:
        await _until(stop, work)
    finally:
        server.close()
        await _end([*connections, *work])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(batcher.drain(), LINGER)
        counters.write(settings().run, listens=listens, admit=settings().hj212_admit)
        await registry.close()
        await stream.close()


async def _until(stop: asyncio.Event, work: list[asyncio.Task[None]]) -> None:
    """Until told to stop, or until a part ends, which it never should: then its failure is raised and the supervisor starts anew."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        task.result()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Find out about stations that vanished: their sockets stay open for hours otherwise."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
