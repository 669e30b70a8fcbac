"""Pages of the management centre."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.actions import require
from haitang.base.declarations import in_force
from haitang.base.ports import policy
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.operations.management import cockpit as c
from haitang.operations.management import declarations, evaluation
from haitang.operations.management.search import search
from haitang.support.infrastructure.things.queries import all_admitted
from haitang.support.security.policy.decide import scope

entry("cockpit", title="驾驶舱", url="/", icon="layout-grid", group="watch", order=10)
entry("wall", title="大屏", url="/wall", icon="device-tv", group="watch", order=90)
entry("evaluation", title="考核评价", url="/evaluation", icon="report-analytics", group="work", order=40, permission="case.read")
entry("declarations", title="声明与版本", url="/declarations", icon="adjustments", group="run", order=10, permission="declarations.read")


READS = ("thing.read", "alarm.read", "indicator.read")


def _everything(request: HttpRequest, **more: Any) -> dict[str, Any]:
    actor = reader(request)
    for word in READS:
        require(actor, word)
    return {
        "map_src": c.map_address(),
        "tiles": c.tiles(),
        "counts": c.counts(actor),
        "with_cases": scope(actor, "case.read") != "none",  # a screen without them must not say that there are none
        "stages": c.by_stage(actor),
        "most": max((count for _, _, count in c.by_stage(actor)), default=0),
        "watch": c.deadline_watch(actor),
        "alarms": c.newest_alarms(),
        "feed": c.feed(actor),
        "origins": sorted(set(all_admitted().exclude(origin="live").values_list("origin", flat=True))),
        "now": clock.now(),
        "digest": in_force().digest,
        **more,
    }


@require_GET
@page(anyone="sends on to the inbox whom it is not for")
def cockpit(request: HttpRequest) -> HttpResponse:
    """The desk's first page; for whom it is not, the inbox is."""
    actor = reader(request)
    if not all(policy().decide(actor=actor, permission=word, resource=None).allowed for word in READS):
        return HttpResponseRedirect("/inbox")
    return show(request, "management/cockpit.html", _everything(request))


@require_GET
@page("thing.read")
def wall(request: HttpRequest) -> HttpResponse:
    """The same for a screen that is read from ten metres."""
    return show(request, "management/wall.html", _everything(request, on_wall=True))


PARTS = ("tiles", "wall-tiles", "counts", "stages", "watch", "alarms", "feed")


@require_GET
@page("thing.read")
def part(request: HttpRequest, name: str) -> HttpResponse:
    """One part again, when the live feed says that it changed."""
    known = name if name in PARTS else "feed"
    told, most = _everything(request), request.GET.get("most", "")
    if most.isdecimal():
        told |= {part: told[part][: int(most)] for part in ("alarms", "watch", "feed")}
    return show(request, f"management/parts/{known}.html", told)


urlpatterns = [
    path("", cockpit),
    path("wall", wall),
    path("cockpit/<slug:name>", part),
    path("search", search),
    path("evaluation", evaluation.evaluation),
    path("declarations", declarations.declarations),
    path("declarations/propose", declarations.propose),
    path("declarations/edits/<uuid:id>", declarations.decide),
]
