"""The kind `calendar`: which days are worked, as dated data."""

from datetime import date

from pydantic import BaseModel, ConfigDict

from haitang.base.declarations import Declaration, Text, kind


class Year(BaseModel):
    """The published arrangement of one year: `holidays` (days or ranges `2026-02-15..2026-02-23`) and make-up `workdays`, with its source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holidays: list[str] = []
    workdays: list[str] = []
    source: str
    published: date


@kind("calendar", title="工作日历", folder="calendar", shape="one", where="place")
class Calendar(Declaration):
    """The working calendar of a place. A year that is not listed is provisional: weekends off, and shown as provisional.

    `hours`: office hours in local time, such as ['09:00-12:00', '14:00-18:00']; summer hours by `from` date may follow as a mapping.
    """

    title: Text
    hours: list[str] = ["09:00-12:00", "14:00-18:00"]
    years: dict[int, Year] = {}
