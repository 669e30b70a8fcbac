"""How values of declarations, processes and remaining time read."""

from datetime import datetime

import pytest
from django.utils.translation import override

from haitang.base.clock import CHINA
from haitang.base.durations import Clock
from haitang.base.shell.words import PROCESSES, written_span
from haitang.base.text import translate
from haitang.operations.management.declarations import said
from haitang.support.security.policy.systems import SYSTEMS
from haitang.support.standards.calendar import working_calendar
from haitang.support.standards.kinds import Calendar
from haitang.support.standards.wording import remaining

CALENDAR = working_calendar(Calendar(title="周末休息"))


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        ("4 working hours", "4 个工作小时", "4 working hours"),
        ("1 working day", "1 个工作日", "1 working day"),
        ("90min", "1 小时 30 分钟", "1 h 30 min"),
        ("warning", "警告", "Warning"),
        ("silent", "失联", "Silent"),
        (None, "不设", "not set"),
        ("value > 115", "", ""),
        (92.0, "", ""),
    ],
)
def test_a_tunable_value_reads_in_the_language_of_its_reader(value: object, chinese: str, english: str) -> None:
    assert said(value) == chinese
    with override("en"):
        assert said(value) == english


def test_what_is_no_duration_stays_as_written() -> None:
    assert written_span("soon") == "soon"


def test_every_process_of_the_platform_has_a_title() -> None:
    assert set(SYSTEMS) <= set(PROCESSES)


def test_one_is_counted_as_one_in_english() -> None:
    due, at = datetime(2026, 11, 25, 18, 0, tzinfo=CHINA), datetime(2026, 11, 24, 9, 0, tzinfo=CHINA)
    with override("en"):
        assert remaining(due, at, Clock.WORKING_DAYS, CALENDAR).text == "1 working day left"
        assert translate("证据封存 {n} 条", n=1) == "1 record sealed"
        assert translate("证据封存 {n} 条", n=2) == "2 records sealed"
