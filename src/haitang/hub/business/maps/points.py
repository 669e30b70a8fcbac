"""What stands on a map: things with their latest state, open cases. Every point answers what, since when, who."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import duckdb

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.base.durations import parse_span
from haitang.base.errors import HaitangError
from haitang.base.shell.words import ORIGINS, STATES, figure, phrase, written_span
from haitang.base.text import translate
from haitang.hub.business.cases.deadlines import first_deadline
from haitang.hub.business.cases.listing import readable, stage_title
from haitang.hub.business.cases.models import Case
from haitang.hub.business.maps.scales import Scale, scale_of
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.queries import select
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import all_admitted, maintained
from haitang.support.infrastructure.twin.queries import latest
from haitang.support.security.people.models import Organization

RECENT = 7  # days back that a coloured value is looked for
MARKS = {"notice": "i", "warning": "!", "serious": "!!", "critical": "!!!"}


@dataclass(frozen=True)
class Point:
    """One point; `mark` is the short text in the pin, `className` its colour and shape."""

    layer: str
    id: str
    title: str
    longitude: float
    latitude: float
    className: str
    mark: str
    what: str
    since: str | None
    who: str
    link: str
    note: str = ""

    @property
    def wire(self) -> dict[str, Any]:
        return asdict(self)


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def case_points(cases: Iterable[Case]) -> list[Point]:
    """Cases that have a position."""
    found = []
    for case in cases:
        if case.longitude is None or case.latitude is None:
            continue
        due = first_deadline(case)
        what = "，".join(
            part for part in (translate(STATES.get(case.severity, "")), translate(stage_title(case)), due.sentence if due else "") if part
        )
        who = translate(case.organization.title) if case.organization else ""
        found.append(
            Point(
                "case",
                str(case.pk),
                phrase(case.title),
                case.longitude,
                case.latitude,
                f"severity-{case.severity}",
                MARKS.get(case.severity, "!"),
                what,
                _iso(case.opened_at),
                who,
                f"/cases/{case.number}",
                translate(ORIGINS.get(case.origin, "")) if case.origin in ORIGINS else "",
            )
        )
    return found


def open_cases(actor: Actor, kinds: Iterable[str] | None = None) -> list[Point]:
    """Open cases that a reader may see."""
    found = readable(actor).filter(closed_at__isnull=True, longitude__isnull=False)
    return case_points(found.filter(case_kind__in=list(kinds)) if kinds else found)


def thing_points(device: str | None = None, colour: str | None = None) -> list[Point]:
    """Things of a device type (or all), coloured by their state, or by a column of a derivation that has a standard's colours."""
    things = [t for t in all_admitted().filter(longitude__isnull=False) if device is None or t.device == device]
    seen = last_seen(things)
    scale = scale_of(colour)
    values = _values(colour, {t.id for t in things}) if scale else {}
    owners = dict(Organization.objects.values_list("pk", "title"))
    worked_on = maintained()
    return [_thing_point(t, seen.get(t.id), values.get(t.id), scale, owners, worked_on=t.id in worked_on) for t in things]


def last_seen(things: Iterable[Thing]) -> dict[str, datetime]:
    """Up to when each thing has told anything."""
    found: dict[str, datetime] = {}
    for reading in latest([t.id for t in things]):
        if reading.thing not in found or reading.period_end > found[reading.thing]:
            found[reading.thing] = reading.period_end
    return found


def state_of(thing: Thing, at: datetime | None) -> str:
    """normal, stale (silent for longer than its type allows) or nodata."""
    declared = in_force().all(Device).get(thing.device)
    if at is None:
        return "nodata"
    return "stale" if declared and clock.now() - at > parse_span(declared.silent_after) else "normal"


def why_not(thing: Thing, state: str) -> str:
    """Why a thing that should tell something does not; empty where it does."""
    if state == "nodata":
        return translate("接入后还没有收到过数据，请检查设备编号、网络和接入地址")
    declared = in_force().all(Device).get(thing.device)
    return translate("超过 {span} 没有收到数据", span=written_span(declared.silent_after)) if state == "stale" and declared else ""


def _thing_point(
    thing: Thing,
    at: datetime | None,
    value: tuple[float, datetime] | None,
    scale: Scale | None,
    owners: Mapping[str, str],
    *,
    worked_on: bool = False,
) -> Point:
    state, mark, shown = state_of(thing, at), "", ""
    css = f"status-{state}"
    if scale and value:
        mark, shown = figure(value[0], 0), f"{translate(scale.title)} {figure(value[0], 0)}，{translate(scale.word(value[0]))}"
        css = css if state == "stale" else scale.css(value[0])
    elif state == "nodata":
        mark = "—"
    what = "，".join(
        part
        for part in (
            translate("维护中") if worked_on else "",
            shown,
            translate(STATES[state]) if state != "normal" or not shown else "",
            why_not(thing, state),
        )
        if part
    )
    assert thing.longitude is not None
    assert thing.latitude is not None
    return Point(
        "thing", thing.id, translate(thing.title), thing.longitude, thing.latitude, css, mark or "●", what, _iso(value[1] if value else at),
        translate(owners.get(thing.organization_id, "")), f"/things/{thing.id}", translate(ORIGINS[thing.origin]) if thing.origin in ORIGINS else "",
    )  # fmt: skip


def _values(column: str | None, things: set[str]) -> dict[str, tuple[float, datetime]]:
    """The newest value of a column by thing, from the derivation that has it by thing and hour; empty before it was first computed."""
    found = next((id for id, d in in_force().all(Derive).items() if column in d.titles and d.time == "hour" and len(d.grain) == 2), None)
    if found is None or not things:
        return {}
    key, hour = in_force().get(Derive, found).grain
    since = clock.now() - timedelta(days=RECENT)
    sql = f'select "{key}" as thing, arg_max("{column}", "{hour}") as value, max("{hour}") as at from {found} where "{column}" is not null and "{hour}" >= ? group by 1'  # noqa: S608 - declared names
    try:
        rows = select(sql, [since])
    except (HaitangError, duckdb.Error):
        return {}
    return {row["thing"]: (float(row["value"]), _aware(row["at"])) for row in rows if row["thing"] in things}


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=clock.CHINA)
