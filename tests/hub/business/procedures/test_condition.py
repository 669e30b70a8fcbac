"""The condition language of procedures."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.hub.business.procedures.condition import ConditionError, parse

FACTS: dict[str, Any] = {"case.severity": "serious", "case.cause_cleared": False, "answers.result": "solved", "answers.amount": 5}


@pytest.mark.parametrize(
    ("written", "holds"),
    [
        ("case.severity == 'serious'", True),
        ("case.severity in ['serious', 'critical']", True),
        ("case.severity not in ['serious']", False),
        ("case.cause_cleared", False),
        ("not case.cause_cleared", True),
        ("case.cause_cleared == no", True),
        ("answers.amount > 4 and answers.amount <= 5", True),
        ("answers.amount > -1", True),
        ("answers.result != 'solved' or case.severity == 'serious'", True),
        ("answers.unknown == 'x'", False),
        ("not answers.unknown == 'x'", False),  # what has no value is neither
        ("answers.unknown == 'x' or answers.amount == 5", True),
        ("answers.result > 3", False),
        ("case.severity", False),
    ],
)
def test_what_holds(written: str, holds: bool) -> None:
    assert parse(written).holds(FACTS) is holds


@pytest.mark.parametrize(
    "written",
    [
        "", "severity == 'x'", "case.severity = 'x'", "case.severity == ", "__import__('os').system('x')", "case.a.b == 1", "1 == 1", "case.a == case.b",
        "case.a < 1 < 2", "case.a in 'text'", "case.a in []", "case.a == None", "case.a == True", "lambda: case.a", "case.a == 1j", "case.a[0] == 1", "x" * 2000,
    ],
)  # fmt: skip
def test_what_does_not_follow_the_language_is_refused_with_what_does(written: str) -> None:
    with pytest.raises(ConditionError, match=r"allowed are|at most"):
        parse(written)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_refused(written: str) -> None:
    try:
        condition = parse(written)
    except ConditionError:
        return
    assert condition.holds(FACTS) in (True, False)


@given(st.recursive(st.sampled_from(["case.cause_cleared", "answers.amount > 3", "answers.unknown == 'x'"]), lambda part: st.one_of(
    part.map(lambda p: f"not ({p})"), st.tuples(part, st.sampled_from(["and", "or"]), part).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
), max_leaves=6))  # fmt: skip
def test_a_condition_and_its_opposite_never_both_hold(written: str) -> None:
    assert not (parse(written).holds(FACTS) and parse(f"not ({written})").holds(FACTS))
