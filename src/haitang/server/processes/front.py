"""The front: uvicorn on the HTTP port."""

import asyncio
import contextlib
from typing import Any

import uvicorn

from haitang.base.settings import settings
from haitang.server.front.app import application
from haitang.server.front.guarded import guarded
from haitang.support.infrastructure.listeners.gate import open_files
from haitang.support.security.tls.contexts import served


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        """The host of the process owns the signals."""
        return contextlib.nullcontext()


async def run(stop: asyncio.Event) -> None:
    """Serve until `stop`."""
    config = uvicorn.Config(
        application(), host=settings().host, port=settings().http, log_level="warning", access_log=False, timeout_graceful_shutdown=3,
        proxy_headers=False, server_header=False, timeout_keep_alive=75,
    )  # fmt: skip
    config.load()
    open_files()  # as many as the machine lets this process have
    config.http_protocol_class = guarded(config.http_protocol_class)
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
