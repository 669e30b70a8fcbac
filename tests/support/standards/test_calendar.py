"""Which days are worked, and when."""

from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from haitang.base.clock import CHINA
from haitang.support.standards.calendar import WorkingCalendar, working_calendar
from haitang.support.standards.kinds import Calendar

DAZU = Path(__file__).parents[3] / "places" / "dazu" / "calendar.yaml"


def dazu() -> WorkingCalendar:
    return working_calendar(Calendar.model_validate(YAML(typ="safe").load(DAZU)))


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2025-01-26", True),  # a Sunday made up for the Spring Festival
        ("2025-01-27", True),
        ("2025-01-28", False),
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2026-01-04", True),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2026-02-24", True),
        ("2026-10-07", False),
        ("2026-10-10", True),
        ("2026-11-21", False),
    ],
)
def test_published_years_are_worked_as_published(day: str, worked: bool) -> None:
    assert dazu().is_workday(date.fromisoformat(day)) is worked


def test_an_unpublished_year_is_provisional_with_weekends_off() -> None:
    calendar = dazu()
    assert calendar.is_provisional(date(2026, 12, 31), date(2027, 1, 1))
    assert not calendar.is_provisional(date(2025, 1, 1), date(2026, 12, 31))
    assert [calendar.is_workday(date(2027, 1, day)) for day in (1, 2, 3, 4)] == [True, False, False, True]


def test_hours_may_differ_by_season() -> None:
    summer, winter = ["09:00-12:00", "15:00-18:30"], ["09:00-12:00", "14:00-18:00"]
    calendar = working_calendar(Calendar.model_validate({"title": "t", "hours": {"05-01": summer, "10-01": winter}}))
    closes = [calendar.openings(date(2026, month, 3))[-1][1] for month in (2, 6, 11)]
    assert [c.strftime("%H:%M") for c in closes] == ["18:00", "18:30", "18:00"]


def test_openings_begin_now_when_the_office_is_open() -> None:
    now = datetime(2026, 11, 23, 10, 30, tzinfo=CHINA)
    assert next(dazu().openings_from(now)) == (now, now.replace(hour=12, minute=0))


def test_the_digest_follows_the_content() -> None:
    shorter = Calendar.model_validate({"title": "t", "years": {2026: {"source": "s", "published": "2025-11-04"}}})
    assert dazu().digest == dazu().digest != working_calendar(shorter).digest


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("hours", ["9-12"], "write 09:00-12:00"),
        ("hours", ["14:00-18:00", "09:00-12:00"], "follow the hours before"),
        ("hours", [], "at least one"),
        ("years", {2026: {"holidays": ["2026-02-30"], "source": "s", "published": "2025-11-04"}}, "not a day or a range"),
        ("years", {2026: {"holidays": ["2026-02-03..2026-02-01"], "source": "s", "published": "2025-11-04"}}, "ends before it begins"),
    ],
)
def test_a_bad_calendar_says_what_to_write(key: str, value: object, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Calendar.model_validate({"title": "t", key: value})
