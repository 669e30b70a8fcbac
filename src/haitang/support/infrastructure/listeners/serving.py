"""What every listener does to serve: run until told to stop, end its tasks, notice peers that vanished."""

import asyncio
import socket
from collections.abc import Sequence


async def until(stop: asyncio.Event, work: Sequence[asyncio.Task[None]]) -> None:
    """Until told to stop, or until a part ends, which it never should: then its failure is raised and the supervisor starts anew."""
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done - {waiting}:
        task.result()


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Find out about devices that vanished: their sockets stay open for hours otherwise."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
