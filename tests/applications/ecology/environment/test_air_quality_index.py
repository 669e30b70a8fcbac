"""AQI by HJ 633, in both editions."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.applications.ecology.environment import functions as air

CASES = Path(__file__).parents[5] / "shared/standards/samples/aqi/iaqi-cases.json"
BEFORE, SINCE = datetime(2026, 2, 28, 15, tzinfo=UTC), datetime(2026, 2, 28, 16, tzinfo=UTC)  # midnight in China is 16:00 UTC


def item(name: str) -> str:
    substance, period = name.lower().replace("pm25", "pm2_5").rsplit("_", 1)
    return f"{substance}_{ {'24h': 'day', '1h': 'hour', '8h': '8h'}[period] }"


@pytest.mark.skipif(not CASES.exists(), reason="published test cases are not on this machine")
def test_the_published_cases() -> None:
    for case in json.loads(CASES.read_text()):
        got = air.individual_index(int(case["std"][-4:]), item(case["item"]), pa.array([float(case["c"])]))
        assert got.to_pylist() == [case["iaqi"]], case


@pytest.mark.parametrize(("edition", "name"), [(e, n) for e, items in air.BREAK_POINTS.items() for n in items])
def test_break_points_give_exactly_their_index(edition: int, name: str) -> None:
    points = air.BREAK_POINTS[edition][name]
    got = air.individual_index(edition, name, pa.array([float(p) for p in points])).to_pylist()
    assert got == [0, 50, 100, 150, 200, 300, 400, 500][: len(points)]


@given(st.sampled_from([2012, 2026]), st.lists(st.floats(0, 700), min_size=2))
def test_more_pollution_never_gives_a_smaller_index(edition: int, values: list[float]) -> None:
    got = air.individual_index(edition, "pm2_5_day", pa.array(sorted(values))).to_pylist()
    assert got == sorted(got)


def test_halves_are_rounded_to_even_as_written() -> None:
    assert air.individual_index(2026, "pm2_5_day", pa.array([60.5, 61.5])).to_pylist() == [100, 102]
    assert air.individual_index(2026, "co_day", pa.array([2.05, 2.15])).to_pylist() == [50, 55]


def test_what_is_not_a_concentration_has_no_index() -> None:
    odd = pa.array([None, -1.0, float("nan"), float("inf"), 1e300])
    assert air.individual_index(2026, "pm2_5_day", odd).to_pylist() == [None] * 5


CLEAN = {"pm2_5": 10.0, "pm10": 20.0, "so2": 5.0, "no2": 10.0, "co": 0.5, "o3": 60.0}
MOVING = {"pm2_5_24h": 10.0, "pm10_24h": 20.0, "so2_24h": 5.0, "o3_8h": 60.0}


def hour_of(when: datetime, **given: float | None) -> tuple[int | None, str | None]:
    values = {**CLEAN, **MOVING, **given}
    columns = [pa.array([when], pa.timestamp("us", "UTC")), *(pa.array([v], pa.float64()) for v in values.values())]
    return air.air_quality_index(*columns).to_pylist()[0], air.primary_pollutant(*columns).to_pylist()[0]


def test_the_edition_is_that_of_the_date_of_the_data() -> None:
    assert hour_of(BEFORE, pm2_5_24h=75) == (100, "PM2.5")
    assert hour_of(SINCE, pm2_5=75) == (114, "PM2.5")


def test_a_missing_item_hides_the_index_unless_it_is_over_100() -> None:
    assert hour_of(SINCE, so2=None) == (None, None)
    assert hour_of(SINCE, so2=None, pm2_5=75) == (114, "PM2.5")


def test_clean_air_has_no_primary_pollutant_and_starts_at_one() -> None:
    nothing = dict.fromkeys({**CLEAN, **MOVING}, 0.0)
    assert hour_of(SINCE, **nothing) == (1, None)
    assert hour_of(BEFORE, **nothing) == (0, None)


def test_all_items_that_lead_are_primary() -> None:
    assert hour_of(SINCE, pm2_5=60, pm10=120) == (100, "PM2.5,PM10")


def test_the_old_hour_counts_moving_means_and_not_the_hour_of_particles() -> None:
    assert hour_of(BEFORE, pm2_5=300, pm10=500) == (30, None)
    assert hour_of(BEFORE, o3_8h=161) == (101, "O3")
    assert hour_of(SINCE, o3_8h=500, pm2_5_24h=500, pm10_24h=500) == (20, None)


def test_an_old_hour_of_sulphur_dioxide_above_800_counts_by_its_day() -> None:
    assert hour_of(BEFORE, so2=800, so2_24h=2000) == (200, "SO2")
    assert hour_of(BEFORE, so2=801, so2_24h=475) == (150, "SO2")
    assert hour_of(BEFORE, so2=801, so2_24h=None) == (30, None)
    assert hour_of(SINCE, so2=801, so2_24h=2000) == (200, "SO2")


def test_the_old_day_counts_the_greatest_hour_of_ozone() -> None:
    def of(day: date) -> tuple[int, str]:
        columns = [pa.array([day]), *(pa.array([v], pa.float64()) for v in (10, 20, 5, 10, 0.5, 100, 250))]
        return air.daily_air_quality_index(*columns).to_pylist()[0], air.daily_primary_pollutant(*columns).to_pylist()[0]

    assert of(date(2026, 2, 28)) == (125, "O3")
    assert of(date(2026, 3, 1)) == (50, None)


def test_levels() -> None:
    assert air.air_quality_level(pa.array([0, 50, 51, 100, 101, 200, 201, 301, None])).to_pylist() == [1, 1, 2, 2, 3, 4, 5, 6, None]
