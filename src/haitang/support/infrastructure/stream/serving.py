"""The life of a process that consumes the stream: connect, serve, and after an error open everything anew."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from haitang.support.infrastructure.stream.client import Stream, connect

log = structlog.get_logger()
PAUSE = 2.0  # seconds before opening anew after an error


async def serve_until(stop: asyncio.Event, serve: Callable[[Stream, asyncio.Event], Awaitable[None]], *, name: str) -> None:
    """Run `serve(stream, stop)`, which returns once `stop` is set, again and again until then.

    After an error nothing is acknowledged that `serve` had not acknowledged: the stream delivers it again.
    """
    stream = await connect()
    try:
        while not stop.is_set():
            try:
                await stream.ensure()
                await serve(stream, stop)
            except Exception:
                log.exception("stream.consumer_failed", consumer=name)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PAUSE)
    finally:
        await stream.close()
