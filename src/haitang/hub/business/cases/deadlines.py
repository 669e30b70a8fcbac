"""Deadlines as people read them: what remains on which clock, not only a date."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from haitang.base import clock
from haitang.base.durations import Clock, parse_limit
from haitang.base.shell.words import span
from haitang.base.text import T, translate
from haitang.hub.business.procedures.kinds import Procedure
from haitang.support.standards.calendar import WorkingCalendar
from haitang.support.standards.clocks import counted

CLOCKS = {Clock.EMERGENCY: T("按自然时间昼夜连续计算"), Clock.WORKING_HOURS: T("按工作时间计算"), Clock.WORKING_DAYS: T("按工作日计算")}
STAGE_SOON = timedelta(hours=4)
LEGAL_SOON = timedelta(hours=24)


@dataclass(frozen=True)
class ShownDeadline:
    """What a page shows: `state` is overdue, due-soon, running, paused or met; `exact` the moment and the clock."""

    sentence: str
    state: Literal["overdue", "due-soon", "running", "paused"]
    exact: str
    provisional: bool


def stage_clock(procedure: Procedure | None, stage: str) -> Clock:
    """The clock that a stage's limit counts on."""
    found = procedure.stages.get(stage) if procedure else None
    return parse_limit(found.within).clock if found and found.within else Clock.EMERGENCY


def legal_clock(procedure: Procedure | None) -> Clock:
    """The clock that the legal limit counts on (the latest one; older ones of the same procedure seldom differ)."""
    return parse_limit(procedure.limits[-1].within).clock if procedure and procedure.limits else Clock.WORKING_DAYS


def shown(at: datetime, counts_on: Clock, calendar: WorkingCalendar, *, soon: timedelta, provisional: bool, paused: bool) -> ShownDeadline:
    """A deadline at this moment."""
    now = clock.now()
    exact = f"{at.astimezone(clock.CHINA):%Y-%m-%d %H:%M} +08:00 · {translate(CLOCKS[counts_on])}"
    if paused:
        return ShownDeadline(translate("计时已暂停"), "paused", exact, provisional)
    if now >= at:
        return ShownDeadline(translate("已超期 {span}", span=span(now - at)), "overdue", exact, provisional)
    return ShownDeadline(
        translate("剩余 {left}", left=_left(now, at, counts_on, calendar)),
        "due-soon" if at - now <= soon else "running",
        exact,
        provisional,
    )


def _left(now: datetime, at: datetime, counts_on: Clock, calendar: WorkingCalendar) -> str:
    if counts_on is Clock.EMERGENCY:
        return span(at - now)
    left = counted(now, at, Clock.WORKING_HOURS, calendar)
    if counts_on is Clock.WORKING_DAYS:
        days = _workdays(now, at, calendar)
        if days:
            return translate("{n} 个工作日", n=days)
    minutes = int(left.total_seconds() // 60)
    if minutes < 60:
        return translate("{n} 工作分钟", n=minutes)
    return translate("{n} 个工作小时", n=f"{minutes / 60:.1f}".removesuffix(".0"))


def _workdays(now: datetime, at: datetime, calendar: WorkingCalendar) -> int:
    """Whole working days after today up to and including the day of the deadline."""
    day, last, found = now.astimezone(clock.CHINA).date(), at.astimezone(clock.CHINA).date(), 0
    while day < last:
        day += timedelta(days=1)
        found += calendar.is_workday(day)
    return found
