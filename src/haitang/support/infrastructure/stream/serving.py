"""The life of a process that consumes the stream: connect, serve, and after an error open everything anew."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import psycopg
import structlog

from haitang.base.postgresql import sessions
from haitang.base.settings import settings
from haitang.support.infrastructure.stream.client import Stream, connect

log = structlog.get_logger()
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0  # seconds before opening anew after an error; twice as long each time
STEADY = 10.0  # seconds of service after which an error is not one of a row


async def serve_until(stop: asyncio.Event, serve: Callable[[Stream, asyncio.Event], Awaitable[None]], *, name: str) -> None:
    """Run `serve(stream, stop)`, which returns once `stop` is set, again and again until then.

    After an error nothing is acknowledged that `serve` had not acknowledged: the stream delivers it again. `serve` has then let go of its connections to the
    database, and what the server still has of them is ended.
    """
    stream, pause, loop = await connect(), FIRST_PAUSE, asyncio.get_running_loop()
    try:
        while not stop.is_set():
            began = loop.time()
            try:
                await stream.ensure()
                await serve(stream, stop)
            except Exception:
                log.exception("stream.consumer_failed", consumer=name)
                pause = FIRST_PAUSE if loop.time() - began > STEADY else pause
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                with suppress(psycopg.OperationalError):  # away still: then `serve` says so
                    await asyncio.to_thread(sessions.end, settings().database_url)
    finally:
        await stream.close()
