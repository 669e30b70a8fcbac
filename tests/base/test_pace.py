"""Work that repeats takes a share of the time, and one slow round changes nothing."""

from haitang.base.pace import Pace


def test_the_rest_grows_with_what_the_work_takes_within_its_bounds() -> None:
    pace = Pace(times=10, least=1, most=10)
    assert [pace.rest(took) for took in (0.01, 0.3, 0.3, 5, 5)] == [1, 1, 3, 3, 10]


def test_one_round_that_stood_still_is_not_waited_for() -> None:
    pace = Pace(times=10, least=1, most=10)
    assert [pace.rest(took) for took in (0.05, 6, 0.05, 0.05)] == [1, 1, 1, 1]
