"""The health of devices, by type and by organization."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.operations.management.health.queries import overview
from haitang.support.infrastructure.things.queries import READ

entry("health", title="设备运行状况", url="/things/health", icon="heartbeat", group="watch", order=41, permission=READ)


@require_GET
@page(READ, own=True)
def health(request: HttpRequest) -> HttpResponse:
    """Of the devices that the reader may see: each figure leads to the list of those it counts."""
    found = overview(reader(request))
    return show(request, "health/health.html", {"found": found, "start": _hour(found.window.start), "end": _hour(found.window.end)})


def _hour(at: datetime) -> str:
    return f"{at.astimezone(clock.CHINA):%m-%d %H:%M}"


urlpatterns = [path("things/health", health)]
