"""A cell of a sheet as the text that a person sees: whole numbers without a point, dates without midnight, no binary crumbs."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

LARGEST = 10**15  # Excel keeps fifteen digits; what is larger has lost its last ones


def text_of(value: object) -> str:
    """The text of a cell as calamine gives it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, timedelta):
        return _span(value)
    return value.isoformat() if isinstance(value, date | time) else ("" if value is None else str(value))


def imprecise(value: object) -> bool:
    """Whether a number has more digits than Excel keeps: an identity or account number that was typed as a number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= LARGEST and abs(value) < 10**25


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    told = format(Decimal(format(value, ".15g")), "f")
    return "0" if told == "-0" else told


def _span(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
