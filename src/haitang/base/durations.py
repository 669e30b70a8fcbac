"""Durations as people write them: `2h`, `90min`, `4 working hours`, `2 working days`, `30 emergency minutes`.

A plain span (`Span`) is elapsed time. A limit (`Limit`) is an amount on one of the three clocks of a procedure:

- emergency: runs day and night, every day;
- working hours: runs in the office hours of working days;
- working days: whole working days; day one is the working day after the start.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

_SPAN_UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
}  # fmt: skip
_SPAN = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$")
_LIMIT = re.compile(r"^\s*(\d+)\s+(emergency|working)\s+(minutes?|hours?|days?)\s*$")


class Clock(StrEnum):
    """What time a limit counts."""

    EMERGENCY = "emergency"
    WORKING_HOURS = "working hours"
    WORKING_DAYS = "working days"


def parse_span(text: str) -> timedelta:
    """`2h`, `90min`, `30 days` -> timedelta; ValueError says what is allowed."""
    match = _SPAN.match(text)
    if not match or match[2] not in _SPAN_UNITS:
        raise ValueError(f"{text!r} is not a duration: write a number and s, min, h or d, such as 90min")
    return timedelta(seconds=float(match[1]) * _SPAN_UNITS[match[2]])


@dataclass(frozen=True)
class Limit:
    """An amount on a clock: minutes for the emergency and working-hours clocks, days for working days."""

    amount: int
    clock: Clock
    written: str

    @property
    def minutes(self) -> int:
        if self.clock is Clock.WORKING_DAYS:
            raise ValueError("working days are not minutes")
        return self.amount

    def __str__(self) -> str:
        return self.written


def parse_limit(text: str) -> Limit:
    """`30 emergency minutes`, `4 working hours`, `2 working days` -> Limit; ValueError says what is allowed."""
    match = _LIMIT.match(text)
    if not match:
        raise ValueError(f"{text!r} is not a limit: write 30 emergency minutes, 2 emergency hours, 4 working hours or 2 working days")
    amount, clock, unit = int(match[1]), match[2], match[3].rstrip("s")
    if amount == 0:
        raise ValueError(f"{text!r}: a limit is at least 1")
    if clock == "working" and unit == "day":
        return Limit(amount, Clock.WORKING_DAYS, text)
    if unit == "day":
        return Limit(amount * 24 * 60, Clock.EMERGENCY, text)
    minutes = amount * (60 if unit == "hour" else 1)
    return Limit(minutes, Clock.EMERGENCY if clock == "emergency" else Clock.WORKING_HOURS, text)
