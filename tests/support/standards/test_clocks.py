"""The three clocks: examples that a lawyer can check, and properties against a simulation minute by minute."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.base.clock import CHINA
from haitang.base.durations import Clock, parse_limit
from haitang.support.standards.clocks import Paused, before, counted, deadline, elapsed, forward
from haitang.support.standards.wording import remaining
from tests.support.standards.test_calendar import dazu

CALENDAR = dazu()
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@pytest.mark.parametrize(
    ("start", "limit", "due"),
    [
        ("2026-11-23 10:00", "30 emergency minutes", "2026-11-23 10:30"),
        ("2026-10-01 23:50", "30 emergency minutes", "2026-10-02 00:20"),
        ("2026-11-23 10:00", "4 working hours", "2026-11-23 16:00"),
        ("2026-11-23 10:00", "2 working hours", "2026-11-23 12:00"),
        ("2026-11-23 12:30", "1 working hour", "2026-11-23 15:00"),
        ("2026-11-20 17:00", "4 working hours", "2026-11-23 12:00"),
        ("2026-09-30 17:00", "2 working hours", "2026-10-08 10:00"),  # over the National Day
        ("2026-10-09 17:00", "2 working hours", "2026-10-10 10:00"),  # a Saturday made up
        ("2026-11-23 10:00", "1 working day", "2026-11-24 18:00"),
        ("2026-11-23 03:00", "1 working day", "2026-11-24 18:00"),
        ("2026-11-21 10:00", "1 working day", "2026-11-23 18:00"),  # begun on a Saturday
        ("2026-02-13 10:00", "2 working days", "2026-02-24 18:00"),  # 14 is made up, 15 to 23 are off
        ("2025-01-24 09:00", "3 working days", "2025-02-05 18:00"),  # 26 (Sunday) and 27 are worked
    ],
)
def test_due(start: str, limit: str, due: str) -> None:
    assert deadline(at(start), parse_limit(limit), CALENDAR).at == at(due)


def test_a_deadline_that_touches_an_unpublished_year_is_provisional() -> None:
    start = at("2026-12-31 17:00")
    assert deadline(start, parse_limit("1 working day"), CALENDAR).provisional
    assert deadline(start, parse_limit("2 working hours"), CALENDAR).provisional
    assert not deadline(start, parse_limit("1 working hour"), CALENDAR).provisional
    assert not deadline(start, parse_limit("48 emergency hours"), CALENDAR).provisional


def test_a_pause_after_the_deadline_forgives_nothing() -> None:
    late = Paused(at("2026-11-24 18:00"), at("2026-11-27 18:00"))
    assert deadline(at("2026-11-23 10:00"), parse_limit("1 working day"), CALENDAR, [late]).at == at("2026-11-24 18:00")


def test_an_approved_extension_adds_working_days() -> None:
    due = deadline(at("2026-11-23 10:00"), parse_limit("2 working days"), CALENDAR, extensions=[parse_limit("1 working day")])
    assert due.at == at("2026-11-26 18:00")


@pytest.mark.parametrize(
    ("limit", "now", "text"),
    [
        ("4 working hours", "2026-11-23 11:00", "剩余 3 个工作小时"),
        ("4 working hours", "2026-11-23 15:15", "剩余 45 个工作分钟"),
        ("2 working days", "2026-11-24 09:00", "剩余 1 个工作日"),
        ("2 working days", "2026-11-25 17:00", "剩余 1 个工作小时"),
        ("30 emergency minutes", "2026-11-23 12:30", "已超期 2 小时"),
        ("1 working day", "2026-11-27 10:00", "已超期 3 个工作日"),
    ],
)
def test_what_is_left_reads_as_people_say_it(limit: str, now: str, text: str) -> None:
    asked = parse_limit(limit)
    due = deadline(at("2026-11-23 10:00"), asked, CALENDAR).at
    assert remaining(due, at(now), asked.clock, CALENDAR).text == text


moments = st.integers(0, 700 * 1440).map(lambda minutes: at("2025-01-02 00:00") + minutes * MINUTE)
spans = st.integers(1, 3000).map(lambda minutes: minutes * MINUTE)
clocks = st.sampled_from([Clock.EMERGENCY, Clock.WORKING_HOURS])
limits = st.sampled_from(
    ["30 emergency minutes", "1 working hour", "4 working hours", "31 working hours", "1 working day", "7 working days"]
)
limits = limits.map(parse_limit)


def is_open(moment: datetime) -> bool:
    """Written apart from the code under test."""
    minute = moment.astimezone(CHINA).hour * 60 + moment.astimezone(CHINA).minute
    return CALENDAR.is_workday(moment.astimezone(CHINA).date()) and (540 <= minute < 720 or 840 <= minute < 1080)


@settings(max_examples=60, deadline=None)
@given(moments, st.integers(1, 900))
def test_working_hours_equal_a_simulation_minute_by_minute(start: datetime, minutes: int) -> None:
    moment, left = start, minutes
    while left:
        left -= is_open(moment)
        moment += MINUTE
    assert forward(start, minutes * MINUTE, Clock.WORKING_HOURS, CALENDAR) == moment


@given(moments, spans, spans, clocks)
def test_time_on_a_clock_adds_up(start: datetime, a: timedelta, b: timedelta, clock: Clock) -> None:
    assert forward(forward(start, a, clock, CALENDAR), b, clock, CALENDAR) == forward(start, a + b, clock, CALENDAR)
    assert counted(start, forward(start, a, clock, CALENDAR), clock, CALENDAR) == a


@given(moments, spans, limits)
def test_who_starts_later_is_not_due_earlier(start: datetime, later: timedelta, limit) -> None:  # type: ignore[no-untyped-def]
    assert deadline(start, limit, CALENDAR).at <= deadline(start + later, limit, CALENDAR).at


@given(moments, limits, st.integers(0, 2000), spans)
def test_a_pause_moves_the_deadline_by_exactly_what_the_clock_would_have_counted(  # type: ignore[no-untyped-def]
    start: datetime, limit, offset: int, length: timedelta
) -> None:
    plain = deadline(start, limit, CALENDAR).at
    pause = Paused(start + offset * MINUTE, start + offset * MINUTE + length)
    moved = deadline(start, limit, CALENDAR, [pause]).at
    held = counted(pause.start, pause.end, limit.clock, CALENDAR) if pause.start < plain else timedelta()
    assert counted(plain, moved, limit.clock, CALENDAR) == held
    assert elapsed(start, moved, limit.clock, CALENDAR, [pause] if pause.start < plain else []) == counted(
        start, plain, limit.clock, CALENDAR
    )


@given(moments, limits, st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 600)), max_size=3))
def test_a_working_clock_never_ends_outside_office_hours(start: datetime, limit, pauses) -> None:  # type: ignore[no-untyped-def]
    held = [Paused(start + a * MINUTE, start + (a + b) * MINUTE) for a, b in pauses]
    due = deadline(start, limit, CALENDAR, held).at
    assert limit.clock is Clock.EMERGENCY or is_open(due - MINUTE)


@given(moments, limits)
def test_a_reminder_comes_as_early_as_it_says(due: datetime, limit) -> None:  # type: ignore[no-untyped-def]
    reminded = before(due, limit, CALENDAR)
    assert reminded < due
    assert limit.clock is Clock.WORKING_DAYS or counted(reminded, due, limit.clock, CALENDAR) == limit.minutes * MINUTE
