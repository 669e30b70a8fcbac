"""The ASGI application of the front."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount, Route

from haitang.base.settings import settings
from haitang.server.discovery import modules
from haitang.server.front.door import Door
from haitang.server.front.live import Live
from haitang.server.front.passing import Control
from haitang.server.front.ready import Readiness
from haitang.server.front.static import static_files


def application() -> Starlette:
    """The application for the settings in use."""
    control = Control(settings().run / "control.sock")
    live = Live(settings().database_url, control)
    ready = Readiness(settings(), control)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with control, live:
            yield
        await ready.close()

    data = [
        Mount(
            "/api/data",
            routes=[route for module in modules("data_api") for route in module.routes],
            middleware=[Middleware(Door, control=control), Middleware(GZipMiddleware)],
        )
    ]
    routes: list[BaseRoute] = [
        Route("/ready", ready.endpoint),
        Mount("/static", static_files()),
        Route("/live", live.endpoint),
        *data,
        Mount("/", control.application),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
