"""The plan of the demonstration: pure, and true to the clocks."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.base.clock import CHINA
from haitang.server.demo.aim import best_shift
from haitang.server.demo.feed import between
from haitang.server.demo.stories import OPEN, PAST, REPORTS, Story, opened_so_that_it_ends, times
from haitang.support.standards.calendar import working_calendar
from haitang.support.standards.kinds import Calendar

CALENDAR = working_calendar(Calendar(title="工作日历"))
YEAR = datetime(2026, 1, 1, tzinfo=CHINA)
moments = st.integers(0, 500_000).map(lambda minutes: YEAR + timedelta(minutes=minutes))


@settings(max_examples=15, deadline=None)
@given(moments, st.sampled_from([*OPEN, *(story for story in REPORTS if story.open)]))
def test_an_open_story_has_just_made_its_last_step(now: datetime, story: Story) -> None:
    opened = opened_so_that_it_ends(now, story.steps, CALENDAR)
    made = times(opened, story.steps, CALENDAR)
    assert opened <= made[0]
    assert made == sorted(made)
    assert now - timedelta(days=6) < made[-1] <= now


def test_every_story_has_a_word_of_its_own() -> None:
    words = [story.word for story in (*OPEN, *PAST, *REPORTS)]
    assert len(set(words)) == len(words)


def test_the_series_is_aimed_at_a_day_on_which_something_has_just_happened() -> None:
    opened = [5 * 24 + 9, 5 * 24 + 10, 20 * 24 + 3]
    assert best_shift(opened, days=30, hour=14) == 5
    assert best_shift([], days=0, hour=14) == 0


@pytest.mark.parametrize(("part", "expected"), [(0, 10), (0.5, 15), (1, 20)])
def test_instants_lie_on_the_line_between_two_hours(part: float, expected: float) -> None:
    assert between({"o3": 10, "co": 1}, {"o3": 20, "no2": 3}, part) == {"o3": expected}
