"""Days, ranges and office hours as a calendar's author writes them."""

import re
from collections.abc import Sequence
from datetime import date, time, timedelta

_HOURS = re.compile(r"^(\d{2}):(\d{2})-(\d{2}):(\d{2})$")
_SEASON = re.compile(r"^(\d{2})-(\d{2})$")

Window = tuple[time, time]


def parse_days(text: str) -> list[date]:
    """`2026-01-04` or `2026-02-15..2026-02-23` (both ends included) -> days; ValueError says what to write."""
    first, _, last = text.partition("..")
    try:
        start = date.fromisoformat(first.strip())
        end = date.fromisoformat(last.strip()) if last else start
    except ValueError:
        raise ValueError(f"{text!r} is not a day or a range: write 2026-01-04 or 2026-02-15..2026-02-23") from None
    if end < start:
        raise ValueError(f"{text!r} ends before it begins")
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def parse_hours(written: Sequence[str]) -> tuple[Window, ...]:
    """['09:00-12:00', '14:00-18:00'] -> ordered windows that do not overlap; ValueError says what to write."""
    windows: list[Window] = []
    for text in written:
        match = _HOURS.match(text)
        if not match:
            raise ValueError(f"{text!r} are not office hours: write 09:00-12:00")
        try:
            window = (time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4])))
        except ValueError:
            raise ValueError(f"{text!r} are not office hours: a day has 24 hours of 60 minutes") from None
        if window[0] >= window[1] or (windows and windows[-1][1] > window[0]):
            raise ValueError(f"{text!r} must end after it begins and follow the hours before it")
        windows.append(window)
    if not windows:
        raise ValueError("office hours are missing: write at least one, such as 09:00-12:00")
    return tuple(windows)


def parse_season(text: str) -> tuple[int, int]:
    """`05-01` -> (5, 1): the day of each year from which hours apply; ValueError says what to write."""
    match = _SEASON.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a day of the year: write 05-01")
    date(2024, int(match[1]), int(match[2]))
    return int(match[1]), int(match[2])
