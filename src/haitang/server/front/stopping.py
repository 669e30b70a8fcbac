"""A front that stops: what it can no longer answer is told to come again, and is not taken for a fault of a program."""

import asyncio
from contextlib import suppress

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOLD = {
    "code": "server.control_unavailable",
    "message": "平台正在停止或重新启动，请稍候再试。",
    "english": "The platform is stopping or starting anew. Please try again in a moment.",
}


class Stopping:
    """uvicorn cancels the requests that outlast its patience at a stop, and would answer 500 for them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError:
            if scope["type"] == "http" and not begun:
                with suppress(OSError):
                    await JSONResponse(_TOLD, 503, {"Retry-After": "3", "Cache-Control": "no-store"})(scope, receive, send)
            raise
