"""When a source is due next: after a span, or at times of day on all or on working days of the place's calendar."""

from datetime import datetime, time, timedelta

from haitang.base.clock import CHINA
from haitang.base.durations import parse_span
from haitang.hub.data.gather.kinds import Source
from haitang.support.standards.calendar import WorkingCalendar

_FAR = 400  # days


def due_after(source: Source, last: datetime | None, calendar: WorkingCalendar) -> datetime | None:
    """When the source is due for the first time after `last`; None means now, because it was never asked."""
    if last is None:
        return None
    if not source.at:
        return last + parse_span(source.every)
    local = last.astimezone(CHINA)
    for n in range(_FAR):
        day = local.date() + timedelta(days=n)
        if source.days == "working" and not calendar.is_workday(day):
            continue
        for moment in sorted(map(time.fromisoformat, source.at)):
            at = datetime.combine(day, moment, CHINA)
            if at > local:
                return at
    return None


def is_due(source: Source, last: datetime | None, now: datetime, calendar: WorkingCalendar) -> bool:
    """Whether it is to be asked now. A source that was never asked is, whatever its times: nobody waits until tomorrow to see whether it works."""
    due = due_after(source, last, calendar)
    return due is None or due <= now
