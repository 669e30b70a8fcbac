"""Limits and what is left of them, in words: texts of the catalogue with places for their data."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from haitang.base.durations import Clock, Limit
from haitang.base.text import T, translate
from haitang.support.standards.calendar import WorkingCalendar, local_day
from haitang.support.standards.clocks import counted


def limit_text(limit: Limit) -> str:
    """`2 working days` -> 2 个工作日, in the reader's language."""
    if limit.clock is Clock.WORKING_DAYS:
        return translate("{n} 个工作日", n=limit.amount)
    working = limit.clock is Clock.WORKING_HOURS
    if not working and limit.amount % 1440 == 0:
        return translate("{n} 天", n=limit.amount // 1440)
    if limit.amount % 60 == 0:
        return translate("{n} 个工作小时" if working else "{n} 小时", n=limit.amount // 60)
    return translate("{n} 个工作分钟" if working else "{n} 分钟", n=limit.amount)


@dataclass(frozen=True)
class Remaining:
    """How much is left, or by how much it is overdue. `template` is a text of the catalogue with places for `data`."""

    overdue: bool
    amount: timedelta
    template: str
    data: dict[str, int]

    @property
    def text(self) -> str:
        return translate(self.template, None, **self.data)


_LEFT = {
    "workdays": (T("剩余 {days} 个工作日"), T("已超期 {days} 个工作日")),
    "days": (T("剩余 {days} 天"), T("已超期 {days} 天")),
    "workhours": (T("剩余 {hours} 个工作小时 {minutes} 分"), T("已超期 {hours} 个工作小时 {minutes} 分")),
    "hours": (T("剩余 {hours} 小时 {minutes} 分"), T("已超期 {hours} 小时 {minutes} 分")),
    "wholeworkhours": (T("剩余 {hours} 个工作小时"), T("已超期 {hours} 个工作小时")),
    "wholehours": (T("剩余 {hours} 小时"), T("已超期 {hours} 小时")),
    "workminutes": (T("剩余 {minutes} 个工作分钟"), T("已超期 {minutes} 个工作分钟")),
    "minutes": (T("剩余 {minutes} 分钟"), T("已超期 {minutes} 分钟")),
}


def remaining(due: datetime, at: datetime, clock: Clock, calendar: WorkingCalendar) -> Remaining:
    """What is left at `at` until `due` on the clock of the limit: days where a day or more is left, else hours and minutes."""
    overdue = at > due
    first, last = (due, at) if overdue else (at, due)
    amount = counted(first, last, clock, calendar)
    minutes = int(amount.total_seconds() // 60)
    data = {"hours": minutes // 60, "minutes": minutes % 60}
    prefix = "" if clock is Clock.EMERGENCY else "work"
    if clock is Clock.WORKING_DAYS and (days := _workdays_between(first, last, calendar)):
        unit, data = "workdays", {"days": days}
    elif clock is Clock.EMERGENCY and minutes >= 2880:
        unit, data = "days", {"days": minutes // 1440}
    else:
        whole = "whole" if minutes >= 60 and minutes % 60 == 0 else ""
        unit = whole + prefix + ("hours" if minutes >= 60 else "minutes")
    return Remaining(overdue, amount, _LEFT[unit][overdue], data)


def _workdays_between(first: datetime, last: datetime, calendar: WorkingCalendar) -> int:
    """Working days after the day of `first` up to and including that of `last`."""
    span = (local_day(last) - local_day(first)).days
    return sum(calendar.is_workday(local_day(first) + timedelta(days=n)) for n in range(1, span + 1))
