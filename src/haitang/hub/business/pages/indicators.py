"""Pages of indicators: all, and one with its definition, history, members and the records behind it."""

from datetime import timedelta
from itertools import pairwise

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.actions import may
from haitang.base.declarations import in_force
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.shell.words import unit
from haitang.base.text import translate
from haitang.hub.business.pages import records
from haitang.hub.business.pages.tiles import of
from haitang.hub.data.indicators import queries
from haitang.hub.data.indicators.kinds import Indicator
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.people.models import Organization

SINCE = timedelta(days=366)


@require_GET
@page("indicator.read")
def indicators(request: HttpRequest) -> HttpResponse:
    """Every indicator in force as a tile."""
    return show(request, "pages/indicators.html", {"tiles": [of(now) for now in queries.current()]})


@require_GET
@page("indicator.read")
def indicator(request: HttpRequest, id: str) -> HttpResponse:
    """One indicator; `?dimension=&member=` narrows the records to one member."""
    declared, now = in_force().get(Indicator, id), queries.one(id)
    chosen = (request.GET.get("dimension", ""), request.GET.get("member", ""))
    titles = dict(Thing.objects.values_list("pk", "title")) | dict(Organization.objects.values_list("pk", "title"))
    history = queries.history(id, since=clock.now() - SINCE)
    context = {
        "declared": declared,
        "tile": of(now),
        "now": now,
        "members": [(m, titles.get(m.member, m.member)) for m in now.members],
        "chosen": chosen,
        "chosen_title": titles.get(chosen[1], chosen[1]),
        "records": records.behind(id, *chosen, titles) if may(reader(request), queries.read_permission_of_records(id)) else None,
        "changes": [after for before, after in pairwise(history) if before.definition != after.definition],
        "titles": titles,
    }
    return show(request, "pages/indicator.html", context)


@require_GET
@page("indicator.read")
def chart(request: HttpRequest, id: str) -> HttpResponse:
    """The kept values of a year, the target, and where the definition changed."""
    declared = in_force().get(Indicator, id)
    rows = queries.history(id, since=clock.now() - SINCE, dimension=request.GET.get("dimension", ""), member=request.GET.get("member", ""))
    points = [(row.at.timestamp() * 1000, row.value) for row in rows]
    changed = [after for before, after in pairwise(rows) if before.definition != after.definition]
    target = rows[-1].target if rows else None
    data = {
        "series": [{"title": translate(declared.title), "unit": unit(declared.unit), "digits": declared.digits, "points": points}],
        "limits": [{"title": translate("目标"), "value": target}] if target is not None else [],
        "changes": [{"title": translate("定义变更"), "at": row.at.timestamp() * 1000} for row in changed],
        "empty": translate("还没有计算过。数据到达后会自动计算。"),
    }
    return JsonResponse(data, headers={"Cache-Control": "no-store"})
