"""What the map island reads: boundary, legend and points, as JSON."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET

from haitang.base.declarations import in_force
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.views import page
from haitang.base.shell.words import STATES
from haitang.base.text import translate
from haitang.hub.business.cases.queries import case_by_number
from haitang.hub.business.maps.points import MARKS, Point, case_points, open_cases, thing_points
from haitang.hub.business.maps.scales import Scale, scale_of
from haitang.hub.business.places.kinds import Place
from haitang.hub.business.places.queries import boundary


def _legend(scale: Scale | None, with_cases: bool) -> list[dict[str, str]]:
    rows = [{**row, "title": f"{translate(row['title'])} {row['range']}"} for row in scale.legend] if scale else []
    states = ("stale", "nodata") if scale else ("normal", "stale", "nodata")
    rows += [{"className": f"thing status-{state}", "mark": "", "title": translate(STATES[state])} for state in states]
    if with_cases:
        rows += [
            {"className": f"case severity-{s}", "mark": "", "title": translate("{severity}案件", severity=translate(STATES[s]))}
            for s in MARKS
        ]
    return rows


def _map(points: Sequence[Point], scale: Scale | None = None, *, with_cases: bool = True) -> JsonResponse:
    place = in_force().one(Place)
    approval = translate("审图号：{number}", number=place.map_approval) if place.map_approval else translate("边界为示意，不作为划界依据")
    told: dict[str, Any] = {
        "boundary": boundary(),
        "centre": place.centre,
        "tiles": settings().tiles_url,
        "attribution": approval,
        "legend": _legend(scale, with_cases),
        "points": [point.wire for point in points],
    }
    return JsonResponse(told, headers={"Cache-Control": "no-store"})


@require_GET
@page("thing.read")
def district(request: HttpRequest) -> HttpResponse:
    """`?device=&colour=`: things of a type coloured by a column; `?cases=` no, or a case type."""
    told = request.GET
    points = thing_points(told.get("device") or None, told.get("colour") or None)
    wanted = told.get("cases", "")
    if wanted != "no":
        points += open_cases(reader(request), [wanted] if wanted else None)
    return _map(points, scale_of(told.get("colour")), with_cases=wanted != "no")


@require_GET
@page("case.read", own=True)
def one_case(request: HttpRequest, number: str) -> HttpResponse:
    """The map beside a case."""
    found = case_by_number(reader(request), number)
    near = [p for p in thing_points() if p.id == found.thing]
    return _map([*near, *case_points([found])])


urlpatterns = [path("maps/district.json", district), path("maps/case/<str:number>.json", one_case)]
