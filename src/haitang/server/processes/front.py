"""The front: uvicorn on the HTTP port."""

import asyncio

import uvicorn

from haitang.base.settings import settings
from haitang.server.front.app import application
from haitang.support.security.tls.contexts import served


class _Server(uvicorn.Server):
    def capture_signals(self):  # type: ignore[no-untyped-def]
        """The host of the process owns the signals."""
        import contextlib

        return contextlib.nullcontext()


async def run(stop: asyncio.Event) -> None:
    """Serve until `stop`."""
    config = uvicorn.Config(
        application(), host=settings().host, port=settings().http, log_level="warning", access_log=False, timeout_graceful_shutdown=3,
        proxy_headers=False, server_header=False, timeout_keep_alive=75,
    )  # fmt: skip
    config.load()
    renewed = served("http")
    config.ssl = renewed.context if renewed else None
    fresh = asyncio.create_task(renewed.keep_fresh()) if renewed else None
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    server.should_exit = True
    await serving
    if fresh:
        fresh.cancel()
