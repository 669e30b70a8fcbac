import pytest

from haitang.base.durations import Clock, parse_limit, parse_span


@pytest.mark.parametrize(
    ("written", "clock", "amount"),
    [
        ("30 emergency minutes", Clock.EMERGENCY, 30),
        ("2 emergency hours", Clock.EMERGENCY, 120),
        ("4 working hours", Clock.WORKING_HOURS, 240),
        ("2 working days", Clock.WORKING_DAYS, 2),
        ("1 working day", Clock.WORKING_DAYS, 1),
    ],
)
def test_limit_names_its_clock(written: str, clock: Clock, amount: int) -> None:
    limit = parse_limit(written)
    assert (limit.clock, limit.amount) == (clock, amount)


@pytest.mark.parametrize("written", ["2 days", "working hours", "0 working days", "-1 working days", "2h"])
def test_a_bad_limit_says_what_to_write(written: str) -> None:
    with pytest.raises(ValueError, match="working"):
        parse_limit(written)


def test_span_reads_as_written() -> None:
    assert parse_span("90min").total_seconds() == 5400
