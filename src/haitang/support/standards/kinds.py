"""The kind `calendar`: which days are worked, as dated data."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from haitang.base.declarations import Declaration, Text, kind
from haitang.support.standards.written import parse_days, parse_hours, parse_season


def _as_written(value: object) -> object:
    """A day alone is a date to YAML, a range is text: both are days here."""
    return [day.isoformat() if isinstance(day, date) else day for day in value] if isinstance(value, list) else value


def _days(written: list[str]) -> list[str]:
    for text in written:
        parse_days(text)
    return written


def _hours(written: list[str]) -> list[str]:
    parse_hours(written)
    return written


def _seasons(written: dict[str, list[str]]) -> dict[str, list[str]]:
    for day, hours in written.items():
        parse_season(day)
        parse_hours(hours)
    return written


Days = Annotated[list[str], BeforeValidator(_as_written), AfterValidator(_days)]
Hours = Annotated[list[str], AfterValidator(_hours)]
Seasons = Annotated[dict[str, list[str]], AfterValidator(_seasons)]


class Year(BaseModel):
    """The published arrangement of one year: `holidays` (days or ranges `2026-02-15..2026-02-23`) and make-up `workdays`, with its source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holidays: Days = []
    workdays: Days = []
    source: str
    published: date


@kind("calendar", title="工作日历", folder="calendar", shape="one", where="place")
class Calendar(Declaration):
    """The working calendar of a place. A year that is not listed is provisional: weekends off, and shown as provisional.

    `hours`: office hours in China's civil time, such as ['09:00-12:00', '14:00-18:00']; where summer and winter differ, a mapping from the day
    (MM-DD) on which hours begin to apply: {'05-01': [...], '10-01': [...]}.
    """

    title: Text
    hours: Hours | Seasons = ["09:00-12:00", "14:00-18:00"]
    years: dict[int, Year] = {}
