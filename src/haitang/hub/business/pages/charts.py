"""What chart islands read: readings of things, the reading behind an alarm or case, columns of derivations."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import duckdb

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.words import unit
from haitang.base.text import translate
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.queries import select
from haitang.hub.data.lake import queries as lake
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.models import Alarm
from haitang.hub.data.rules.queries import alarms
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing

Points = list[tuple[float, float | None]]
RANGES = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30), "1y": timedelta(days=366)}
BEFORE, AFTER = timedelta(hours=24), timedelta(hours=24)


def _ms(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=clock.CHINA)).timestamp() * 1000


def _points(times: Iterable[datetime], values: Iterable[Any]) -> Points:
    return [(_ms(at), None if value is None else round(float(value), 4)) for at, value in zip(times, values, strict=True)]


def readings(thing: Thing, property: str, statistic: str, start: datetime, end: datetime) -> dict[str, Any]:
    """One property of one thing over [start, end), with the alarms of that time as spans."""
    declared = in_force().all(Device).get(thing.device)
    observed = declared.observes.get(property) if declared else None
    try:
        found = lake.series(thing.id, property, statistic, start, end).to_pydict()
    except (HaitangError, duckdb.Error):
        return {"series": [], "empty": translate("数据湖还没有这段数据。")}
    title, printed, digits = (translate(observed.title), unit(observed.unit), observed.digits) if observed else (property, "", 1)
    series = {
        "title": f"{translate(thing.title)} · {title}",
        "unit": printed,
        "digits": digits,
        "points": _points(found["time"], found["mean"]),
    }
    return {"series": [series], "spans": _spans(thing.id, property, start, end)}


def _spans(thing: str, property: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    found = alarms(thing=thing).filter(property=property, opened_at__lt=end, withdrawn_at__isnull=True)
    lasted = [(alarm, alarm.cleared_at or clock.now()) for alarm in found[:50]]
    return [
        {"title": translate("报警时段"), "from": _ms(max(a.opened_at, start)), "to": _ms(min(until, end))}
        for a, until in lasted
        if until > start
    ]


def around(thing: Thing, alarm: Alarm) -> dict[str, Any]:
    """The reading that raised an alarm, from a day before it until a day after it ended."""
    end = min(clock.now(), (alarm.cleared_at or clock.now()) + AFTER)
    found = readings(thing, alarm.property, alarm.statistic or "hour mean", alarm.opened_at - BEFORE, end)
    if limit := _limit_of(alarm.rule):
        found["limits"] = [{"title": translate("报警值"), "value": limit}]
    return found


def _limit_of(rule: str) -> float | None:
    """The number of a rule that reads `value > number`; others have no line to draw."""
    declared = in_force().all(Rule).get(rule)
    words = declared.when.split() if declared else []
    return float(words[2]) if len(words) == 3 and words[0] == "value" and words[2].replace(".", "", 1).isdigit() else None


def derived(table: str, *, x: str, y: str, by: str | None, since: timedelta) -> dict[str, Any]:
    """A column of a derivation over time, one series for each value of `by`."""
    declared = in_force().get(Derive, table)
    columns = {x, y, *([by] if by else [])}
    if not columns <= set(declared.titles) | set(declared.grain):
        return {"series": [], "empty": translate("页面声明的列不存在。")}
    start = clock.now() - since
    try:
        chosen = ", ".join(f'"{column}"' for column in sorted(columns))
        rows = select(f'select {chosen} from {table} where "{x}" >= ? order by "{x}"', [start])  # noqa: S608 - declared names
    except (HaitangError, duckdb.Error):
        return {"series": [], "empty": translate("派生数据还没有计算出来。")}
    titles = dict(Thing.objects.values_list("pk", "title"))
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(str(row[by]) if by else "", []).append(row)
    name = translate(declared.titles.get(y, y))
    return {
        "series": [
            {
                "title": translate(titles.get(key, key)) if key else name,
                "unit": "" if key else name,
                "digits": 0,
                "points": _points([r[x] for r in found], [r[y] for r in found]),
            }
            for key, found in groups.items()
        ]
    }
