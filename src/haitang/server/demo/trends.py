"""Indicators of the days gone by, so that a trend can be seen: each computed only from what lies before its day, marked with the origin of its input."""

import time
from datetime import datetime, timedelta

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.queries import select
from haitang.hub.data.indicators import sql
from haitang.hub.data.indicators.actions import record_values, value_row
from haitang.hub.data.indicators.compute import Computed, compute, tables_of
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.indicators.models import IndicatorValue
from haitang.server.demo.people import DEMO

REPLAY = ("replay",)


def _keep(indicator: Indicator, numbers: list[Computed], at: datetime) -> None:
    with acting(DEMO, at=at) as act:
        values = [value_row(indicator, number, act) for number in numbers if number.value is not None]
        if values:
            record_values(act=act, indicator=indicator, values=values)


def case_indicators(at: datetime) -> None:
    """Those over the case table, while the table is as it was at `at`."""
    for indicator in in_force().all(Indicator).values():
        if indicator.over == "cases":
            _keep(indicator, compute(indicator, at), at)


def day_indicators(days: int) -> int:
    """Those over one table by day, for each of the last `days`; a day that has a value already is left. Returns how many values were kept."""
    today = clock.now().astimezone(clock.CHINA).replace(hour=0, minute=10, second=0, microsecond=0)
    kept = 0
    for indicator in in_force().all(Indicator).values():
        if not _by_day(indicator):
            continue
        known = set(IndicatorValue.objects.filter(indicator=indicator.id).values_list("at", flat=True))
        for at in (today - timedelta(days=back) for back in range(days - 1, 0, -1)):
            if at not in known:
                numbers = _until(indicator, at)
                _keep(indicator, numbers, at)
                kept += len(numbers)
    return kept


def _by_day(indicator: Indicator) -> bool:
    derive = in_force().all(Derive).get(indicator.records)
    return indicator.over == "lake" and derive is not None and derive.time == "day"


def _until(indicator: Indicator, at: datetime) -> list[Computed]:
    """The number and its members from the days that had ended by `at`."""
    tree = sql.parse(indicator.value, tables_of(indicator, in_force())).where(f"day < date '{at.astimezone(clock.CHINA):%Y-%m-%d}'")
    newest = at.replace(hour=0, minute=0)
    total = select(sql.total(tree, at, dates=True))[0]["value"]
    found = [Computed("", "", None if total is None else float(total), newest, False, REPLAY)]
    for dimension in indicator.by:
        for row in select(sql.by_member(tree, at, dimension, dates=True)):
            value = row["value"]
            found.append(Computed(dimension, str(row["member"]), None if value is None else float(value), newest, False, REPLAY))
    return found


def days_are_there(seconds: float) -> bool:
    """Wait until the derivations by day have reached yesterday."""
    yesterday = (clock.now().astimezone(clock.CHINA) - timedelta(days=1)).date()
    tables = {indicator.records for indicator in in_force().all(Indicator).values() if _by_day(indicator)}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            newest = [select(f"select max(day) as day from {table}")[0]["day"] for table in tables]  # noqa: S608
        except HaitangError:
            newest = [None]
        if all(day is not None and day >= yesterday for day in newest):
            return True
        time.sleep(1)
    return False
