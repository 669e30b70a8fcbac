"""Pages of indicators: all, and one with its definition, history, members and the records behind it."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import duckdb
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.actions import may
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import translate
from haitang.hub.business.pages.tiles import of, unit
from haitang.hub.data.derive.kinds import Derive
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
        "records": _records(id, *chosen, titles) if may(reader(request), queries.read_permission_of_records(id)) else None,
        "changes": [after for before, after in pairwise(history) if before.definition != after.definition],
        "titles": titles,
    }
    return show(request, "pages/indicator.html", context)


def _records(id: str, dimension: str, member: str, titles: dict[str, str]) -> dict[str, Any]:
    """Heads and rows of the newest records behind the number."""
    declared = in_force().get(Indicator, id)
    try:
        rows = queries.records(id, dimension=dimension, member=member, limit=30)
    except (HaitangError, duckdb.Error):
        rows = []
    source = in_force().all(Derive).get(declared.records)
    named = source.titles if source else {}
    heads = list(named) if named else list(rows[0]) if rows else []
    return {
        "title": source.title if source else declared.records,
        "heads": [named.get(head, head) for head in heads],
        "rows": [[_text(row.get(head), titles) for head in heads] for row in rows],
    }


def _text(value: Any, titles: dict[str, str]) -> str:
    if value is None:
        return "—"
    if hasattr(value, "hour"):
        return f"{value.astimezone(clock.CHINA):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return translate("是") if value else translate("否")
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return translate(titles.get(str(value), str(value)))


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
