"""Reads: the working calendar in force."""

from haitang.base.declarations import in_force
from haitang.support.standards.calendar import WorkingCalendar, working_calendar
from haitang.support.standards.kinds import Calendar

_last: tuple[Calendar, WorkingCalendar] | None = None
_undeclared = Calendar(title="未声明工作日历")


def calendar_in_force() -> WorkingCalendar:
    """The place's working calendar; a place that declares none counts weekends off and every year provisional."""
    global _last
    declared = next(iter(in_force().all(Calendar).values()), _undeclared)
    if _last is None or _last[0] is not declared:
        _last = (declared, working_calendar(declared))
    return _last[1]
