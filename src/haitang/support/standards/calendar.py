"""The working calendar, pure: which days are worked, and when in a day.

Days and hours are China's civil time (UTC+08:00). A year whose arrangement the State Council has not published is provisional: weekends are
off, nothing else is, and whoever computes with it is told.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache

from haitang.base.clock import CHINA
from haitang.base.errors import error
from haitang.support.standards.kinds import Calendar
from haitang.support.standards.written import Window, parse_days, parse_hours, parse_season

NO_WORKDAY = error("standards.no_workday", 422, "工作日历自 {day} 起十年内没有工作日，请检查日历中的节假日。")
_FAR = 3660

Opening = tuple[datetime, datetime]


def local_day(at: datetime) -> date:
    """The day in China's civil time."""
    return at.astimezone(CHINA).date()


class WorkingCalendar:
    """Working days and office hours; two calendars with the same content have the same `digest`."""

    def __init__(
        self,
        hours: Mapping[tuple[int, int], tuple[Window, ...]],
        holidays: Iterable[date] = (),
        workdays: Iterable[date] = (),
        years: Iterable[int] = (),
    ) -> None:
        self._seasons = sorted(hours.items())
        self._holidays, self._workdays, self.years = frozenset(holidays), frozenset(workdays), frozenset(years)
        self.openings = lru_cache(maxsize=4096)(self._openings)

    @cached_property
    def digest(self) -> str:
        """Changes when, and only when, the calendar's content does."""
        content = repr((self._seasons, sorted(self._holidays), sorted(self._workdays), sorted(self.years)))
        return hashlib.sha256(content.encode()).hexdigest()

    def is_workday(self, day: date) -> bool:
        """A make-up workday counts, a holiday does not, else Monday to Friday."""
        if day in self._workdays:
            return True
        return day not in self._holidays and day.weekday() < 5

    def is_provisional(self, first: date, last: date) -> bool:
        """Whether a year from `first` to `last` has no published arrangement."""
        return any(year not in self.years for year in range(first.year, last.year + 1))

    def _openings(self, day: date) -> tuple[Opening, ...]:
        """The office hours of a day, aware; none when it is not worked."""
        if not self.is_workday(day):
            return ()
        passed = [windows for start, windows in self._seasons if start <= (day.month, day.day)]
        windows = passed[-1] if passed else self._seasons[-1][1]  # before the year's first season, last year's last one goes on
        return tuple((datetime.combine(day, a, CHINA), datetime.combine(day, b, CHINA)) for a, b in windows)

    def workdays_after(self, day: date) -> Iterator[date]:
        """Working days after `day`, in order; raises NO_WORKDAY where ten years have none."""
        last = day
        while True:
            following = (last + timedelta(days=n) for n in range(1, _FAR))
            found = next((d for d in following if self.is_workday(d)), None)
            if found is None:
                raise NO_WORKDAY(day=last.isoformat())
            last = found
            yield found

    def openings_from(self, at: datetime) -> Iterator[Opening]:
        """Office hours that end after `at`, in order; the first one is cut to begin at `at` where it is already running."""
        today = local_day(at)
        for start, end in self.openings(today):
            if end > at:
                yield max(start, at.astimezone(CHINA)), end
        for day in self.workdays_after(today):
            yield from self.openings(day)

    def openings_before(self, at: datetime) -> Iterator[Opening]:
        """Office hours that begin before `at`, latest first; the first one is cut to end at `at` where it is still running."""
        day = local_day(at)
        for _ in range(_FAR):
            for start, end in reversed(self.openings(day)):
                if start < at:
                    yield start, min(end, at.astimezone(CHINA))
            day -= timedelta(days=1)
        raise NO_WORKDAY(day=day.isoformat())


def working_calendar(declared: Calendar) -> WorkingCalendar:
    """The calendar that a place declares."""
    hours = declared.hours if isinstance(declared.hours, dict) else {"01-01": declared.hours}
    years = declared.years.values()
    return WorkingCalendar(
        {parse_season(day): parse_hours(windows) for day, windows in hours.items()},
        [day for year in years for text in year.holidays for day in parse_days(text)],
        [day for year in years for text in year.workdays for day in parse_days(text)],
        declared.years,
    )
