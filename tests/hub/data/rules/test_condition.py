"""The condition language: what it says, and what it refuses."""

import pytest

from haitang.hub.data.rules.condition import ConditionError, Series, parse

HOUR = 3_600_000_000


def over(text: str, *values: float | None) -> bool | None:
    """What a condition says at the last of hourly values."""
    series = Series([HOUR * (i + 1) for i in range(len(values))], values, HOUR, len(values) - 1)
    return parse(text).evaluate(series)


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("value > 115", (116,), True),
        ("value > 115", (115,), False),
        ("change(1h) >= 30", (10, 40), True),
        ("change(1h) >= 30", (40,), None),
        ("mean(2h) > 15", (100, 10, 20.5), True),
        ("max(2h) == 100", (100, 10, 20), False),
        ("min(3h) <= 10 and sum(3h) == 130", (100, 10, 20), True),
        ("count(3h) >= 3", (1, None, 2), False),
        ("count(3h) >= 3 or value > 1", (1, None, 2), True),
        ("not value > 3", (2,), True),
        ("1 < value < 3", (2,), True),
        ("value / (value - 2) > 0", (2,), None),
        ("-value < -1", (2,), True),
    ],
)
def test_says_what_is_written(text: str, values: tuple[float | None, ...], said: bool | None) -> None:
    assert over(text, *values) is said


@pytest.mark.parametrize(
    "text",
    ["", "value", "value >", "__import__('os').system('x') > 1", "value.real > 1", "value ** 9 > 1", "mean(6) > 1", "mean('x') > 1",
     "median(6h) > 1", "value > 1 and silent", "1 < 2", "value in [1]", "change(0h) > 1", "x > 1", "True", "lambda: 1", "value > " + "9" * 500,
     "mean(99d) > 1", "value > 'a'", "(" * 600 + "value > 1" + ")" * 600],
)  # fmt: skip
def test_refuses_what_is_not_in_the_language(text: str) -> None:
    with pytest.raises(ConditionError, match=r"allowed|silent|characters"):
        parse(text)


def test_an_error_names_the_place() -> None:
    with pytest.raises(ConditionError, match=r"unknown function at `median\(6h\)`"):
        parse("value > 1 and median(6h) > 3")
