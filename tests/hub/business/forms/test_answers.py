"""Answers become what is kept, or an error for each question."""

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.errors import HaitangError
from haitang.hub.business.forms.answers import read_answers
from haitang.hub.business.forms.kinds import Question

DIGEST = "a" * 64


def question(type: str = "text", **more: Any) -> Question:
    return Question.model_validate({"title": "问题", "type": type, **more})


@pytest.mark.parametrize(
    ("asked", "given", "kept"),
    [
        (question(), "  好  ", "好"),
        (question("number"), "12.50", 12.5),
        (question("number"), 3, 3),
        (question("date"), "2026-03-01", "2026-03-01"),
        (question("choice", choices={"yes": "是", "no": "否"}), "no", "no"),
        (question("organization"), "ecology", "ecology"),
        (question("photo"), DIGEST, [DIGEST]),
        (question("photo"), [DIGEST, "b" * 64], [DIGEST, "b" * 64]),
        (question("limit"), "2 working days", "2 working days"),
    ],
)
def test_a_good_answer_is_kept_clean(asked: Question, given: Any, kept: Any) -> None:
    assert read_answers({"q": asked}, {"q": given}) == {"q": kept}


@pytest.mark.parametrize(
    ("asked", "given", "says"),
    [
        (question(), "", "请填写"),
        (question(), "   ", "请填写"),
        (question(), None, "请填写"),
        (question("photo"), [], "请填写"),
        (question(), 5, "应为文字"),
        (question(), "a\x00b", "不能保存的字符"),
        (question(max_length=3), "四个字了", "最多 3 字，现有 4 字"),
        (question("number"), "十", "应为数字"),
        (question("number"), "nan", "应为数字"),
        (question("number"), True, "应为数字"),
        (question("date"), "2026-02-30", "应为日期"),
        (question("date"), 20260301, "应为日期"),
        (question("choice", choices={"yes": "是"}), "maybe", "请从 是 中选择"),
        (question("choice", choices={"yes": "是"}), ["yes"], "请从 是 中选择"),
        (question("organization"), {"id": 1}, "请从列表中选择"),
        (question("photo"), "../etc/passwd", "请先上传照片"),
        (question("limit"), "soon", "应为时限"),
    ],
)
def test_a_bad_answer_says_what_is_expected(asked: Question, given: Any, says: str) -> None:
    with pytest.raises(HaitangError, match="问题：") as refused:
        read_answers({"q": asked}, {"q": given})
    assert says in refused.value.data["by_question"]["q"]


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(HaitangError) as refused:
        read_answers({"a": question(), "b": question("number")}, {"b": "x", "c": "y"})
    assert set(refused.value.data["by_question"]) == {"a", "b", "c"}


def test_an_optional_question_may_stay_empty() -> None:
    assert read_answers({"q": question(required=False)}, {"q": ""}) == {}


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(st.sampled_from(["text", "long text", "number", "date", "choice", "organization", "person", "photo", "limit"]), json)
def test_whatever_is_sent_is_kept_or_refused(type: str, given: Any) -> None:
    kept: Any = None
    with contextlib.suppress(HaitangError):
        kept = read_answers({"q": question(type, choices={"yes": "是"})}, {"q": given})["q"]
    assert not isinstance(kept, float) or math.isfinite(kept)
