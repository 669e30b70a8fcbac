"""The ASGI application of the front."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount, Route

from haitang.base.settings import settings
from haitang.server import telemetry
from haitang.server.discovery import modules
from haitang.server.front.door import Door
from haitang.server.front.figures import Counted, Metrics
from haitang.server.front.headers import Headers
from haitang.server.front.live import Live
from haitang.server.front.passing import Control, sockets
from haitang.server.front.ready import Readiness
from haitang.server.front.static import static_files
from haitang.server.front.stopping import Stopping
from haitang.server.front.throttle import Throttle

LEVEL = 3  # of compression: 4 costs readings half as much again and makes them no smaller, the highest five to nine times as much


def application() -> Starlette:
    """The application for the settings in use."""
    control = Control(*sockets())
    live = Live(settings().database_url, control)
    ready = Readiness(settings(), control)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with control, live, AsyncExitStack() as rooms:
            for module in modules("data_api"):
                if hasattr(module, "lifespan"):
                    await rooms.enter_async_context(module.lifespan())
            yield
        await ready.close()

    # What opens with a device's own credential stands before the door of sessions.
    devices = [
        Route(f"/api/data{route.path}", route.endpoint, methods=list(route.methods or ()))
        for module in modules("data_api")
        for route in getattr(module, "device_routes", ())
    ]
    data = [
        Mount(
            "/api/data",
            routes=[route for module in modules("data_api") for route in module.routes],
            middleware=[Middleware(Door, control=control), Middleware(GZipMiddleware, compresslevel=LEVEL)],
        )
    ]
    routes: list[BaseRoute] = [
        Route("/ready", ready.endpoint),
        Route("/metrics", Metrics(settings(), ready, control.budget).endpoint),
        Mount("/static", static_files()),
        Route("/live", live.endpoint),
        *devices,
        *data,
        Mount("/", control.application),
    ]
    traced = [Middleware(telemetry.Traced)] if telemetry.on() else []
    guards = [
        *traced,
        Middleware(Stopping),
        Middleware(Counted),
        Middleware(Headers, settings=settings()),
        Middleware(Throttle, rate=settings().request_rate),
    ]
    return Starlette(routes=routes, lifespan=lifespan, middleware=guards)
