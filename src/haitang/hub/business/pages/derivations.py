"""The page of a derivation: what is computed, from which fields it comes, what reads it, how its last computation went."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from haitang.base.declarations import in_force
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import columns_of_field
from haitang.hub.data.derive import queries
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.lineage import GATHERED, lineage
from haitang.hub.data.derive.sources import read
from haitang.hub.data.indicators import sql
from haitang.hub.data.indicators.kinds import Indicator
from haitang.support.infrastructure.things.kinds import Device

HOW = {
    "full": T("数据更新后全部重算"),
    "incremental": T("只重算新数据涉及的时段"),
    "keyed": T("只重算新数据涉及的对象"),
}
STATISTICS = {"instant": T("瞬时值"), "hour mean": T("小时均值"), "day mean": T("日均值")}
KEYS = {"station": T("站点"), "hour": T("小时"), "day": T("日期")}
RUNS = 10


@dataclass(frozen=True)
class Origin:
    """Where a column comes from: `of` the resource or type of device, `what` of it; `url` where that has a page."""

    of: str
    what: str
    url: str = ""


@require_GET
@page("data.read")
def derivation(request: HttpRequest, id: str) -> HttpResponse:
    """One derivation, column by column."""
    declared = in_force().get(Derive, id)
    context = {
        "declared": declared, "how": HOW[declared.kind], "columns": _columns(declared), "readers": _readers(id), "runs": queries.runs(id, RUNS),
        "reads": [in_force().get(Derive, source.name) for source in read(declared.sql, in_force()).sources if source.kind == "derive"],
    }  # fmt: skip
    return show(request, "pages/derivation.html", context)


def _columns(declared: Derive) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "title": declared.titles.get(name, KEYS.get(name, "")),
            "key": name in declared.grain,
            "origins": _grouped(origin_of(each) for each in origins),
        }
        for name, origins in lineage(declared.id).items()
    ]


def _grouped(origins: Iterable[Origin]) -> list[dict[str, Any]]:
    """By where they come from, what comes from it in one line."""
    found: dict[Origin, list[str]] = {}
    for origin in origins:
        found.setdefault(replace(origin, what=""), []).append(origin.what)
    return [{"of": of, "what": whats} for of, whats in found.items()]


def origin_of(written: str) -> Origin:
    """`outfall.river, gathered` or `air_station.pm2_5, hour mean` in words."""
    source, _, rest = written.partition(".")
    column, _, how = rest.partition(", ")
    if how == GATHERED and source in in_force().all(Resource):
        resource = in_force().get(Resource, source)
        titles = [field.title for name, field in resource.fields.items() if column in columns_of_field(name, field)]
        return Origin(resource.title, titles[0] if titles else column, f"/resources/{source}")
    device = in_force().all(Device).get(source)
    observed = device.observes.get(column) if device else None
    what = translate(observed.title if observed else KEYS.get(column, column))
    return Origin(device.title if device else source, f"{what} · {translate(STATISTICS.get(how, how))}" if how else what)


def _readers(id: str) -> list[tuple[str, str]]:
    """(title, address) of the indicators and derivations that read it."""
    derives = in_force().all(Derive)
    found = [
        (each.title, f"/derivations/{name}")
        for name, each in derives.items()
        if id in (source.name for source in read(each.sql, in_force()).sources if source.kind == "derive")
    ]
    over_lake = [each for each in in_force().all(Indicator).values() if each.over == "lake"]
    return found + [
        (each.title, f"/indicators/{each.id}") for each in over_lake if id in sql.tables_in(sql.parse(each.value, derives.keys()))
    ]
