"""Cells of declared pages: each becomes a template and what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import duckdb

from haitang.base import clock
from haitang.base.actions import Actor, may
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.words import unit
from haitang.base.text import translate
from haitang.hub.business.cases.deadlines import first_deadline
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.cases.listing import readable
from haitang.hub.business.maps.scales import scale_of
from haitang.hub.business.pages.kinds import Page
from haitang.hub.business.pages.tiles import tile
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.lineage import lineage
from haitang.hub.data.derive.queries import select
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing

WIDTHS = {1: "w12", 2: "w6", 3: "w4", 4: "w3"}
ROWS = 12
_READS = {"tile": "indicator.read", "map": "thing.read", "chart": "data.read", "calendar": "data.read", "table": "data.read"}


@dataclass(frozen=True)
class Shown:
    """A cell: which template shows it, how wide it is, with what."""

    template: str
    width: str
    context: Mapping[str, Any]


def rows_of(page: Page, actor: Actor) -> list[list[Shown]]:
    """Every row of a page, without the cells that the reader may not see."""
    return [[_cell(cell, _width(cell, row), actor) for cell in row if _may_see(cell, actor)] for row in page.rows]


def _may_see(cell: str | dict[str, Any], actor: Actor) -> bool:
    kind = "tile" if isinstance(cell, str) else next(iter(cell))
    return kind == "cases" or may(actor, _READS[kind])


def _width(cell: str | dict[str, Any], row: Sequence[str | dict[str, Any]]) -> str:
    """Cells of a row share it evenly, but a table beside one other cell takes two thirds."""
    tables = [isinstance(each, dict) and "table" in each for each in row]
    if len(row) == 2 and sum(tables) == 1:
        return "w8" if isinstance(cell, dict) and "table" in cell else "w4"
    return WIDTHS.get(len(row), "w3")


def _cell(cell: str | dict[str, Any], width: str, actor: Actor) -> Shown:
    if isinstance(cell, str):
        return Shown("pages/cells/tile.html", width, {"tile": tile(cell)})
    kind, subject = next(iter(cell.items()))
    return Shown(f"pages/cells/{kind}.html", width, {"subject": subject, **_CELLS[kind](subject, cell, actor)})


def _map(subject: str, cell: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    query = urlencode({key: value for key, value in (("device", subject), ("colour", cell.get("colour"))) if value})
    return {"title": in_force().get(Device, subject).title, "src": f"/maps/district.json?{query}"}


def _chart(subject: str, cell: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    declared = in_force().get(Derive, subject)
    query = urlencode({key: cell[key] for key in ("x", "y", "by") if key in cell})
    return {
        "title": declared.titles.get(str(cell.get("y")), declared.title),
        "of": declared.title,
        "src": f"/charts/derived/{subject}?{query}",
        "origins": _origins_of(declared),
    }


def _calendar(subject: str, cell: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The mean over things of each day of the last twelve weeks."""
    declared, column, today = in_force().get(Derive, subject), str(cell["value"]), clock.now().astimezone(clock.CHINA).date()
    first = today - timedelta(days=83)
    day = next(name for name in declared.grain if name in ("day", "date"))
    rows = _query(f'select "{day}" as day, max("{column}") as value from {subject} where "{day}" >= ? group by 1', [first])  # noqa: S608 - declared names
    found = {_date(row["day"]): row["value"] for row in rows}
    scale = scale_of(column)
    days = []
    for n in range(84):
        at = first + timedelta(days=n)
        value = found.get(at)
        css = scale.css(float(value)) if scale and value is not None else "status-nodata"
        word = translate(scale.word(float(value))) if scale and value is not None else translate("无数据")
        days.append({"css": css, "says": f"{at:%Y-%m-%d} {'' if value is None else f'{float(value):.0f} '}{word}"})
    said = {"first": first, "last": today, "origins": _origins_of(declared)}
    return {"title": declared.titles.get(column, declared.title), "days": days, "scale": scale, "any": bool(found), **said}


def _date(value: Any) -> date:
    found: date = value.astimezone(clock.CHINA).date() if hasattr(value, "astimezone") else value
    return found


def _table(subject: str, cell: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    declared = in_force().get(Derive, subject)
    sort = str(cell.get("sort", ""))
    order = f'order by "{sort.lstrip("-")}" {"desc" if sort.startswith("-") else "asc"} nulls last' if sort else ""
    since, params = "", []
    if declared.time:
        since, params = f'where "{declared.time}" >= ?', [clock.now() - timedelta(days=2 if declared.time == "hour" else 14)]
    rows = _query(f"select * from {subject} {since} {order} limit {ROWS}", params)  # noqa: S608 - declared names
    titles, units = dict(Thing.objects.values_list("pk", "title")), units_of(declared)
    heads = _heads(declared, sort.lstrip("-"))
    digits = {name: 1 for name, _ in heads if any(isinstance(row.get(name), float) and row[name] % 1 for row in rows)}
    body = [[_value(name, row.get(name), titles, digits.get(name, 0)) for name, _ in heads] for row in rows]
    shown = [(title, units.get(name, "")) for name, title in heads]
    return {"title": declared.title, "heads": shown, "body": body, "origins": _origins(rows), "link": f"/tables/{subject}"}


def _heads(declared: Derive, sort: str) -> list[tuple[str, str]]:
    """Column and title; what the rows are sorted by follows what names a row, so that it is seen on a narrow screen."""
    heads = list(declared.titles.items())
    first = [each for each in heads if each[0] in declared.grain]
    return [*first, *(e for e in heads if e not in first and e[0] == sort), *(e for e in heads if e not in first and e[0] != sort)]


def units_of(declared: Derive) -> dict[str, str]:
    """Column -> unit, of the columns that come from one property and are named after it (`o3_8h` from `o3`)."""
    return _units(declared.id, in_force().digest)


@lru_cache(maxsize=32)
def _units(id: str, release: str) -> dict[str, str]:
    """Kept for each release, since reading lineage from the SQL takes a while."""
    found: dict[str, str] = {}
    for column, sources in lineage(id).items():
        properties = {tuple(source.partition(",")[0].split(".", 1)) for source in sources}
        if len(properties) == 1 and len(only := properties.pop()) == 2 and column.partition("_")[0] in (only[1], only[1].partition("_")[0]):
            measured = _unit_of(*only)
            found |= {column: unit(measured)} if measured else {}
    return found


def _unit_of(whose: str, name: str) -> str | None:
    """The unit of a property of a device type, or of a field of a resource."""
    device, resource = in_force().all(Device).get(whose), in_force().all(Resource).get(whose)
    observed = device.observes.get(name) if device else None
    field = resource.fields.get(name) if resource else None
    return observed.unit if observed else field.unit if field else None


@lru_cache(maxsize=32)
def _devices(id: str, release: str) -> frozenset[str]:
    return frozenset(source.partition(".")[0] for sources in lineage(id).values() for source in sources)


def _origins_of(declared: Derive) -> list[str]:
    """What is not live among the things whose data a derivation is computed from."""
    found = Thing.objects.filter(status="admitted", device__in=_devices(declared.id, in_force().digest)).exclude(origin="live")
    return sorted(set(found.values_list("origin", flat=True)))


def _origins(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is not live among the things that the rows are about."""
    things = {str(row["station"]) for row in rows if row.get("station")}
    return sorted(set(Thing.objects.filter(pk__in=things).exclude(origin="live").values_list("origin", flat=True)))


def _value(column: str, value: Any, titles: Mapping[str, str], digits: int) -> dict[str, Any]:
    scale = scale_of(column)
    if scale and value is not None:
        return {"text": f"{float(value):.0f}", "css": scale.css(float(value)), "numeric": True}
    if hasattr(value, "hour"):
        return {
            "text": f"{(value if value.tzinfo else value.replace(tzinfo=clock.CHINA)).astimezone(clock.CHINA):%m-%d %H:%M}",
            "numeric": False,
        }
    if isinstance(value, int | float):
        return {"text": f"{value:,.{digits}f}", "numeric": True}
    return {"text": "—" if value is None else translate(titles.get(str(value), str(value))), "numeric": False}


def _query(sql: str, params: list[Any]) -> list[dict[str, Any]]:
    try:
        return select(sql, params)
    except (HaitangError, duckdb.Error):
        return []


def _cases(subject: str, cell: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    found = readable(actor).filter(case_kind=subject, closed_at__isnull=True).order_by("first_due", "opened_at")
    return {
        "title": in_force().get(CaseType, subject).title,
        "cases": [(each, first_deadline(each)) for each in found[:ROWS]],
        "count": found.count(),
    }


_CELLS = {"map": _map, "chart": _chart, "calendar": _calendar, "table": _table, "cases": _cases}
