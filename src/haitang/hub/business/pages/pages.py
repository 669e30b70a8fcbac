"""Declared pages, alarms, indicators, and what their charts read."""

from datetime import timedelta
from uuid import UUID

from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.actions import Actor, may
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import Entry, entries_from, entry
from haitang.base.shell.views import page, show
from haitang.hub.business.cases.listing import readable
from haitang.hub.business.cases.queries import case_by_number
from haitang.hub.business.pages import alarms, charts, derivations, indicators
from haitang.hub.business.pages.cells import rows_of
from haitang.hub.business.pages.kinds import Page
from haitang.hub.business.places.kinds import Place
from haitang.hub.data.rules.models import Alarm
from haitang.hub.data.rules.queries import open_alarms
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.queries import get
from haitang.support.infrastructure.twin.queries import latest

NO_EMBLEM = error("pages.no_emblem", 404, "这个地方没有设置徽标。")


def _standing(actor: Actor) -> int:
    return open_alarms().count()


def _declared(actor: Actor) -> list[Entry]:
    pages = in_force().all(Page)
    return [
        Entry(f"page-{id}", p.title, f"/pages/{id}", icon="layout-dashboard", group="watch", order=30, permission="data.read")
        for id, p in pages.items()
        if "desk" in p.for_
    ]


entry("alarms", title="报警记录", url="/alarms", icon="alert-triangle", group="watch", order=20, permission="alarm.read", badge=_standing)
entry("indicators", title="指标总览", url="/indicators", icon="chart-line", group="know", order=10, permission="indicator.read")
entries_from(_declared)


@require_GET
@page("data.read")
def declared(request: HttpRequest, id: str) -> HttpResponse:
    """A declared page."""
    found = in_force().get(Page, id)
    return show(request, "pages/page.html", {"page": found, "rows": rows_of(found, reader(request))})


@require_GET
@page("thing.read")
def readings(request: HttpRequest, id: str) -> HttpResponse:
    """A thing's newest readings with their charts, its alarms and cases: a part of the thing's page."""
    thing = get(id)
    device = in_force().all(Device).get(thing.device)
    rows = [
        (reading, device.observes[reading.property])
        for reading in latest([id])
        if device and reading.property in device.observes and reading.statistic in ("instant", "hour mean")
    ]
    charted = list(dict.fromkeys(reading.property for reading, _ in rows if reading.statistic == "hour mean"))
    context = {
        "thing": thing,
        "device": device,
        "rows": rows,
        "charted": [(name, device.observes[name]) for name in charted] if device else [],
        "ranges": list(charts.RANGES),
        "alarms": Alarm.objects.filter(thing=id)[:8] if may(reader(request), "alarm.read") else [],
        "cases": readable(reader(request)).filter(thing=id).order_by("-opened_at")[:8],
    }
    return show(request, "pages/readings.html", context)


def _json(data: object) -> JsonResponse:
    return JsonResponse(data, headers={"Cache-Control": "no-store"})


@require_GET
@page("thing.read")
def thing_chart(request: HttpRequest, id: str, property: str) -> HttpResponse:
    """`?range=24h|7d|30d|1y&statistic=hour mean`."""
    end = clock.now()
    reach = charts.RANGES.get(request.GET.get("range", ""), charts.RANGES["7d"])
    return _json(charts.readings(get(id), property, request.GET.get("statistic", "hour mean"), end - reach, end))


@require_GET
@page("alarm.read")
def alarm_chart(request: HttpRequest, id: UUID) -> HttpResponse:
    found = alarms.find(id)
    return _json(charts.around(get(found.thing), found))


@require_GET
@page("case.read", own=True)
def case_chart(request: HttpRequest, number: str) -> HttpResponse:
    """The reading behind a case: that of its alarm, else nothing."""
    case = case_by_number(reader(request), number)
    alarm = Alarm.objects.filter(pk=case.alarm).first() if case.alarm else None
    if alarm is None or not case.thing:
        return _json({"series": []})
    return _json(charts.around(get(case.thing), alarm))


@require_GET
@page("data.read")
def derived_chart(request: HttpRequest, table: str) -> HttpResponse:
    """`?x=&y=&by=`: a column of a derivation over the last three days (hours) or three months (days)."""
    told = request.GET
    since = timedelta(days=90) if told.get("x") == "day" else timedelta(days=3)
    return _json(charts.derived(table, x=told.get("x", ""), y=told.get("y", ""), by=told.get("by") or None, since=since))


@require_GET
def emblem(request: HttpRequest) -> FileResponse:
    """The place's emblem, a file beside place.yaml."""
    place = in_force().one(Place)
    file = place.file.parent / place.emblem if place.emblem and place.file else None
    if file is None or not file.is_file() or file.suffix not in (".svg", ".png"):
        raise NO_EMBLEM()
    answer = FileResponse(file.open("rb"), content_type="image/svg+xml" if file.suffix == ".svg" else "image/png")
    answer.headers["Cache-Control"] = "public, max-age=3600"
    answer.headers["Content-Security-Policy"] = "sandbox"
    return answer


urlpatterns = [
    path("pages/<slug:id>", declared),
    path("readings/<str:id>", readings),
    path("charts/things/<str:id>/<str:property>", thing_chart),
    path("charts/alarms/<uuid:id>", alarm_chart),
    path("charts/case/<str:number>", case_chart),
    path("charts/derived/<slug:table>", derived_chart),
    path("alarms", alarms.alarm_list),
    path("alarms/<uuid:id>", alarms.alarm),
    path("indicators", indicators.indicators),
    path("indicators/<slug:id>", indicators.indicator),
    path("charts/indicators/<slug:id>", indicators.chart),
    path("derivations/<slug:id>", derivations.derivation),
    path("place/emblem", emblem),
]
