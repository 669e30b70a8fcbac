"""How often one address may ask: a bucket an address that fills at `request_rate` a second and holds two seconds' worth.

Assets, and what a device sends under its own credential, are not counted: batches there are limited by size and by the stream. Behind a reverse proxy all
readers share its address, so that the proxy is the place for this limit and `request_rate = 0` switches ours off.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

KNOWN = 20_000  # addresses that are remembered; the least recent make room
FREE = ("/static/", "/api/data/observations")


class Buckets:
    """Tokens an address; bounded memory. `take` gives 0, or the seconds to wait."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most, self._clock = rate, rate * 2, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> float:
        now = self._clock()
        left, at = self._left.pop(who, (self._most, now))
        left = min(self._most, left + (now - at) * self._rate)
        waits = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[who] = (left - 1 if not waits else left, now)
        if len(self._left) > KNOWN:
            self._left.popitem(last=False)
        return waits


class Throttle:
    """ASGI: 429 with Retry-After for who asks too often."""

    def __init__(self, app: ASGIApp, rate: int) -> None:
        self._app, self._buckets = app, Buckets(rate) if rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._buckets and scope["type"] == "http" and not scope["path"].startswith(FREE):
            waits = self._buckets.take((scope.get("client") or ("?",))[0])
            if waits:
                body = {
                    "code": "server.too_often",
                    "message": "请求过于频繁，请稍后再试。",
                    "english": "Too many requests. Try again shortly.",
                }
                await JSONResponse(body, 429, {"Retry-After": str(max(1, round(waits))), "Cache-Control": "no-store"})(scope, receive, send)
                return
        await self._app(scope, receive, send)
