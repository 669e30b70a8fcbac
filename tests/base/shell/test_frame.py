"""The page frame renders in both languages, with what the rooms told it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.translation import override

from haitang.base import clock
from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from haitang.base.shell import words
from haitang.base.shell.templatetags import shell

AT = datetime(2026, 5, 1, 4, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_declared() -> Iterator[None]:
    with holding(Declarations("", {})):
        yield


@pytest.mark.parametrize("face", ["plain", "phone", "wall", "desk"])
def test_every_face_renders_for_a_stranger(face: str) -> None:
    page = render_to_string(f"shell/{face}.html", request=RequestFactory().get("/"))
    assert "<main" in page or "wall" in page
    assert "data-live" not in page


def test_no_face_holds_inline_script_or_style() -> None:
    page = render_to_string("shell/desk.html", request=RequestFactory().get("/"))
    assert "style=" not in page
    assert "<script>" not in page
    assert "onclick" not in page


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=5), "刚刚"),
        (timedelta(minutes=3), "3 分钟前"),
        (timedelta(hours=5), "5 小时前"),
        (timedelta(days=2), "04-29 12:00"),
    ],
)
def test_the_recent_is_told_relatively(passed: timedelta, said: str) -> None:
    with clock.frozen(AT):
        assert words.ago(AT - passed) == said


def test_a_time_keeps_its_offset_on_hover() -> None:
    with clock.frozen(AT):
        assert "2026-05-01 12:00:00 +08:00" in str(shell.when(AT))


def test_a_state_is_told_by_shape_and_word() -> None:
    with override("en"):
        assert "status-warning" in shell.status("warning")
        assert "Warning" in shell.status("warning")


@pytest.mark.parametrize(("value", "digits", "said"), [(1234.56, 1, "1,234.6"), (None, 1, "—"), (7, 0, "7"), ("text", 1, "text")])
def test_figures_have_sensible_digits(value: object, digits: int, said: str) -> None:
    assert words.figure(value, digits) == said


def test_live_data_carries_no_mark_and_a_replay_does() -> None:
    assert shell.origin("live") == ""
    assert "回放数据" in shell.origin("replay")
