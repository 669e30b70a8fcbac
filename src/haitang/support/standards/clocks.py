"""The three clocks of a procedure, pure: when something is due, how much has run, how much is left.

How days and hours are counted, and how sure that is:

- working days: the day of the start does not count, the first day is the working day after it (Civil Code article 201: a period in days begins
  on the following day); the last day ends when business ends (article 203: where there are business hours, the period ends when business
  stops); days off do not count (Administrative Licensing Law article 82 counts in working days without statutory holidays). Sure.
- working hours: they run only in office hours of working days. The Civil Code (article 201) lets hours begin at once; that only office hours
  count is what urban-management handbooks mean by working hours. Customary, so a place should confirm it.
- emergency: runs day and night. Certain.

Pauses: while one lasts, the clock stands still, so the deadline moves by exactly what the clock would have counted. A pause that begins when the
deadline has passed moves nothing: what is overdue stays overdue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from haitang.base.clock import CHINA
from haitang.base.durations import Clock, Limit
from haitang.support.standards.calendar import WorkingCalendar, local_day

ZERO = timedelta()


@dataclass(frozen=True)
class Deadline:
    """When something is due; `provisional` where a year without a published calendar was touched."""

    at: datetime
    provisional: bool = False


@dataclass(frozen=True)
class Paused:
    """A stretch [start, end) in which clocks stand still."""

    start: datetime
    end: datetime


def forward(at: datetime, amount: timedelta, clock: Clock, calendar: WorkingCalendar) -> datetime:
    """The moment at which `clock`, running since `at`, has counted `amount`."""
    if clock is Clock.EMERGENCY or amount <= ZERO:
        return at + amount
    for start, end in calendar.openings_from(at):
        if amount <= end - start:
            return start + amount
        amount -= end - start
    raise AssertionError("openings_from never ends")


def after(at: datetime, limit: Limit, calendar: WorkingCalendar) -> datetime:
    """The moment at which a limit that begins at `at` ends, nothing pausing it."""
    if limit.clock is not Clock.WORKING_DAYS:
        return forward(at, timedelta(minutes=limit.minutes), limit.clock, calendar)
    day = next(islice(calendar.workdays_after(local_day(at)), limit.amount - 1, None))
    return calendar.openings(day)[-1][1]


def before(at: datetime, limit: Limit, calendar: WorkingCalendar) -> datetime:
    """The latest moment from which `limit` still lasts until `at`: when to remind. Working days keep the time of day."""
    if limit.clock is Clock.EMERGENCY:
        return at - timedelta(minutes=limit.minutes)
    if limit.clock is Clock.WORKING_HOURS:
        amount = timedelta(minutes=limit.minutes)
        for start, end in calendar.openings_before(at):
            if amount <= end - start:
                return end - amount
            amount -= end - start
    days, day = limit.amount, local_day(at)
    while days:
        day -= timedelta(days=1)
        days -= calendar.is_workday(day)
    return datetime.combine(day, at.astimezone(CHINA).time(), CHINA)


def counted(start: datetime, end: datetime, clock: Clock, calendar: WorkingCalendar) -> timedelta:
    """What a clock counts in [start, end): all of it, or the office hours in it. Zero where end is not after start."""
    if end <= start:
        return ZERO
    if clock is Clock.EMERGENCY:
        return end - start
    total, day = ZERO, local_day(start)
    while day <= local_day(end):
        for opens, closes in calendar.openings(day):
            total += max(min(closes, end) - max(opens, start), ZERO)
        day += timedelta(days=1)
    return total


def merged(pauses: Iterable[Paused], since: datetime) -> list[Paused]:
    """Pauses in order, cut to begin at `since`, with those that overlap made one."""
    found: list[Paused] = []
    for pause in sorted(pauses, key=lambda p: p.start):
        start, end = max(pause.start, since), pause.end
        if end <= start:
            continue
        if found and start <= found[-1].end:
            found[-1] = Paused(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Paused(start, end))
    return found


def deadline(
    start: datetime,
    limit: Limit,
    calendar: WorkingCalendar,
    pauses: Sequence[Paused] = (),
    extensions: Sequence[Limit] = (),
) -> Deadline:
    """When `limit`, begun at `start`, is due: approved extensions follow one on another, then each pause adds what it held back."""
    due = after(start, limit, calendar)
    for extension in extensions:
        due = after(due, extension, calendar)
    for pause in merged(pauses, start):
        if pause.start >= due:
            break
        due = forward(due, counted(pause.start, pause.end, limit.clock, calendar), limit.clock, calendar)
    touches = limit.clock is not Clock.EMERGENCY or any(e.clock is not Clock.EMERGENCY for e in extensions)
    return Deadline(due, touches and calendar.is_provisional(local_day(start), local_day(due)))


def elapsed(start: datetime, at: datetime, clock: Clock, calendar: WorkingCalendar, pauses: Sequence[Paused] = ()) -> timedelta:
    """What the clock has counted from `start` to `at`, pauses left out; for working days the office hours of those days."""
    held = sum((counted(p.start, min(p.end, at), clock, calendar) for p in merged(pauses, start)), ZERO)
    return counted(start, at, clock, calendar) - held
