"""The list behind a figure of the evaluation: one value of the address names the figure and its period, `closed~2026-11-01~2026-11-25` (both days included)."""

from datetime import date, datetime, timedelta
from typing import Any

from haitang.base import clock
from haitang.base.text import translate
from haitang.hub.business.cases.statistics import FIGURES, figure_of


def written(figure: str, first: date, last: date) -> str:
    return f"{figure}~{first.isoformat()}~{last.isoformat()}"


def bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """The period in time; it ends now where its last day has not ended, so that what is due later today is not counted as due."""
    since = datetime(first.year, first.month, first.day, tzinfo=clock.CHINA)
    until = datetime(last.year, last.month, last.day, tzinfo=clock.CHINA) + timedelta(days=1)
    return since, min(until, clock.now())


def read(value: str) -> tuple[str, date, date] | None:
    """(figure, first day, last day), or None where the value is not one."""
    name, _, days = value.partition("~")
    first, _, last = days.partition("~")
    try:
        return (name, date.fromisoformat(first), date.fromisoformat(last)) if name in FIGURES else None
    except ValueError:
        return None


def told(value: str) -> str:
    """The figure and its period in the reader's language; empty where the value is not one."""
    if found := read(value):
        name, first, last = found
        return f"{translate(FIGURES[name][0])} {first} — {last}"
    return ""


def narrow_to(rows: Any, value: str) -> Any:
    """The cases behind the figure; all of them where the value is not one."""
    if found := read(value):
        name, first, last = found
        since, until = bounds(first, last)
        return rows.filter(figure_of(name, since=since, until=until))
    return rows
