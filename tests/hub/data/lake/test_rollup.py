"""Rollups are what a brute-force computation gives, however the data came."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from haitang.base.settings import settings
from haitang.hub.data.lake import offsets, queries, rollup
from haitang.hub.data.lake.buckets import instant, micros, start
from haitang.hub.data.lake.readings import VALID, declared_of
from haitang.hub.data.lake.writer import Writer
from haitang.support.infrastructure.stream.messages import Observation, is_valid
from tests.hub.data.fresh import DAY, HOUR, MINUTE, SECOND, START, batch, reading


def stored(lake: Any, unit: str) -> dict[tuple[str, str, int], tuple[Any, ...]]:
    rows = lake.execute(f"select thing, statistic, epoch_us(start), count, mean, min, max, last from lake.rollup_{unit}").fetchall()
    assert len({row[:3] for row in rows}) == len(rows), "a bucket stands twice"
    return {row[:3]: row[3:] for row in rows}


def brute_force(rows: list[Observation], unit: Any) -> dict[tuple[str, str, int], tuple[Any, ...]]:
    """`rows` in the order in which they were stored."""
    newest: dict[Any, Observation] = {}
    for row in rows:
        key = (row.thing, declared_of(row), row.period_start, row.period_end)
        if key not in newest or row.received_at >= newest[key].received_at:
            newest[key] = row
    buckets: dict[tuple[str, str, int], list[Observation]] = defaultdict(list)
    for row in newest.values():
        buckets[row.thing, declared_of(row), start(row.period_start, unit)].append(row)
    found = {}
    for bucket, members in buckets.items():
        good = sorted((m for m in members if is_valid(m.quality) and m.number is not None), key=lambda m: m.period_start)
        numbers = [m.number for m in good if m.number is not None]
        values = (sum(numbers) / len(numbers), min(numbers), max(numbers), numbers[-1]) if numbers else (None,) * 4
        found[bucket] = (len(numbers), *values)
    return found


def same(left: dict[Any, tuple[Any, ...]], right: dict[Any, tuple[Any, ...]]) -> bool:
    return left.keys() == right.keys() and all(left[key] == pytest.approx(right[key]) for key in left)


readings = st.builds(
    lambda thing, length, minute, number, quality, received: reading(
        number,
        thing=thing,
        at=START + minute * MINUTE,
        length=length,
        quality=quality,
        received_at=START + received,
        source_ref=f"{received}",
    ),
    st.sampled_from(["s1", "s2"]),
    st.sampled_from([MINUTE, HOUR]),
    st.integers(-3, 3).flatmap(lambda n: st.integers(n * 720, n * 720 + 70)),
    st.none() | st.floats(-1000, 1000, width=16),
    st.sampled_from(["normal", "flag:N", "flag:D", "invalid", "suspect"]),
    st.integers(0, 3),
)


@examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(readings, max_size=25), min_size=1, max_size=3))
def test_incremental_rollups_equal_brute_force(lake: Any, deliveries: list[list[Observation]]) -> None:
    for table in ("observations", "rollup_minute", "rollup_hour", "rollup_day", "offsets"):
        lake.execute(f"delete from lake.{table}")
    writer, kept = Writer(lake, "s"), list[Observation]()
    offsets.reach(lake, rollup.NAME, writer.position)
    for seq, rows in enumerate(deliveries, 1):
        written = writer.write([(seq, batch(*rows))])
        kept += written.observations
        rollup.update(lake, written.position)
        for unit in ("minute", "hour", "day"):
            assert same(stored(lake, unit), brute_force(kept, unit))


def test_the_day_begins_at_midnight_in_china(lake: Any) -> None:
    writer = Writer(lake, "s")
    before, after = reading(10, at=START - HOUR), reading(30, at=START)
    rollup.update(lake, writer.write([(1, batch(before, after))]).position)
    assert stored(lake, "day") == {
        ("s1", "hour mean", START - DAY): (1, 10, 10, 10, 10),
        ("s1", "hour mean", START): (1, 30, 30, 30, 30),
    }


def test_late_data_changes_only_its_bucket_and_a_correction_replaces(lake: Any) -> None:
    writer = Writer(lake, "s")
    rollup.update(lake, writer.write([(1, batch(*[reading(h, at=START + h * HOUR) for h in range(1, 48)]))]).position)
    late = writer.write([(2, batch(reading(100, at=START), reading(7, at=START + HOUR, source_ref="again", received_at=START + DAY)))])
    assert rollup.update(lake, late.position) == 2
    assert rollup.update(lake, late.position) == 0
    hours = stored(lake, "hour")
    assert hours["s1", "hour mean", START][1] == 100
    assert hours["s1", "hour mean", START + HOUR][:2] == (1, 7)
    assert stored(lake, "day")["s1", "hour mean", START][0] == 24
    assert stored(lake, "day")["s1", "hour mean", START + DAY] == (24, *[pytest.approx(x) for x in (35.5, 24, 47, 47)])


def test_a_year_is_read_from_the_rollup_of_its_width(lake: Any) -> None:
    begin, end = instant(START), instant(START) + timedelta(days=365)
    assert queries.table_for("hour mean", begin, end) == "rollup_day"
    assert queries.table_for("hour mean", begin, end, "hour") == "rollup_hour"
    assert queries.table_for("hour mean", begin, begin + timedelta(hours=1)) == "rollup_hour"
    assert queries.table_for("day mean", begin, begin + timedelta(hours=1)) == "rollup_day"
    assert queries.table_for("instant", begin, begin + timedelta(hours=1)) == "observations"
    rows = [reading(h % 50, at=START + h * HOUR) for h in range(30 * 24)]
    rollup.update(lake, Writer(lake, "s").write([(1, batch(*rows))]).position)
    lake.execute("delete from lake.observations")  # a year is answered without the raw rows
    hourly = queries.series("s1", "pm2_5", "hour mean", begin, end, "hour")
    assert hourly.num_rows == 720
    assert hourly.column("mean").to_pylist()[:3] == [0, 1, 2]
    assert queries.series("s1", "pm2_5", "hour mean", begin, end).num_rows == 30


def test_raw_series_and_pages_show_what_was_stored(lake: Any) -> None:
    rows = [reading(n, at=START + n * 1_000_000, length=0, quality="flag:D" if n == 1 else "flag:N") for n in range(5)]
    Writer(lake, "s").write([(1, batch(*rows)), (2, batch(reading(9)))])
    found = queries.series("s1", "pm2_5", "instant", instant(START), instant(START + HOUR)).to_pydict()
    assert found["mean"] == [0, None, 2, 3, 4]
    assert found["time"][0] == datetime(2026, 2, 28, 16, tzinfo=UTC)
    page = queries.observations_page(thing="s1", start=instant(START), end=instant(START + DAY), limit=4)
    rest = queries.observations_page(after=(page[-1]["block"], page[-1]["block_index"]))
    assert [row["number"] for row in [*page, *rest]] == [9, 4, 3, 2, 1, 0]
    assert queries.counts()["observations"] == 6


def test_the_newest_received_of_a_period_counts_wherever_readings_are_read(lake: Any) -> None:
    again = reading(7, at=START + SECOND, length=0, source_ref="again", received_at=START + DAY)
    first = reading(1, at=START + SECOND, length=0, received_at=START + HOUR)
    other = reading(3, at=START, length=0, property="o3")
    span = instant(START), instant(START + HOUR)
    writer = Writer(lake, "s")
    writer.write([(1, batch(again, other)), (2, batch(first))])
    assert queries.series("s1", "pm2_5", "instant", *span).to_pydict()["mean"] == [7]
    assert queries.readings_of("s1", *span).to_pydict()["value"] == [3, 7]
    writer.write([(3, batch(reading(8, at=START + SECOND, length=0, source_ref="void", received_at=START + 2 * DAY, quality="flag:D")))])
    assert queries.readings_of("s1", *span).to_pydict()["value"] == [3, None]
    assert queries.series("s1", "pm2_5", "instant", *span).to_pydict()["count"] == [0]


def test_readings_that_only_begin_together_are_told_apart(lake: Any) -> None:
    Writer(lake, "s").write(
        [
            (
                1,
                batch(
                    reading(1, length=MINUTE),
                    reading(2, length=2 * MINUTE),
                    reading(3, length=2 * MINUTE, source_ref="again", received_at=START + DAY),
                ),
            )
        ]
    )
    assert sorted(queries.readings_of("s1", instant(START), instant(START + HOUR)).to_pydict()["value"]) == [1, 3]


def test_of_all_things_only_valid_readings_count_and_a_corrected_one_as_often_as_it_was_sent(lake: Any) -> None:
    sent = [
        reading(1), reading(2, thing="s2"), reading(5, source_ref="again"), reading(100, thing="s3", quality="flag:D"), reading(None, thing="s4"),
        reading(50, property="o3"), reading(50, length=DAY), reading(50, statistic="max"), reading(4, at=START + HOUR, quality="suspect"),
        reading(7, at=START + 2 * HOUR, quality="flag:D"), reading(None, at=START + 3 * HOUR),
    ]  # fmt: skip
    Writer(lake, "s").write([(1, batch(*sent))])
    found = queries.of_all("pm2_5", "hour mean", instant(START), instant(START + DAY), "hour of raw").to_pydict()
    assert {name: found[name] for name in ("count", "min", "max")} == {"count": [3, 1, 0], "min": [1, 4, None], "max": [5, 4, None]}
    assert found["mean"] == [pytest.approx(8 / 3), 4, None]
    assert found["time"] == [instant(START), instant(START + HOUR), instant(START + 3 * HOUR)]


@pytest.mark.parametrize(
    "sql",
    [
        "delete from observations",
        "select 1; select 2",
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "from pg.people",
        "selec",
    ],
)
def test_query_is_only_a_select_over_the_lake(lake: Any, sql: str) -> None:
    from haitang.base.errors import HaitangError

    with pytest.raises(HaitangError, match="lake"):
        queries.query(sql)


def test_query_takes_parameters(lake: Any) -> None:
    Writer(lake, "s").write([(1, batch(reading(9)))])
    assert queries.query("with o as (select * from observations) select thing, number from o where number > ?", [5]) == [
        {"thing": "s1", "number": 9.0}
    ]


def test_a_reader_survives_a_lost_catalogue_and_a_table_made_anew(lake: Any) -> None:
    lake.execute("create table lake.derived_x as select 1 as a")
    assert queries.query("select a from derived_x") == [{"a": 1}]
    lake.execute("create or replace table lake.derived_x as select 2 as b")
    assert queries.query("select b from derived_x") == [{"b": 2}]
    with psycopg.connect(settings().database_url, autocommit=True) as database:
        database.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert queries.query("select b from derived_x") == [{"b": 2}]


@pytest.mark.parametrize("quality", ["normal", "suspect", "invalid", "flag:N", "flag:S", "flag:D", "flag:n", ""])
def test_validity_in_sql_is_that_of_the_wire(lake: Any, quality: str) -> None:
    assert lake.execute(f"select {VALID} from (select ? as quality)", [quality]).fetchone()[0] == is_valid(quality)


@given(st.integers(2 * DAY, 50_000 * DAY))
def test_a_bucket_of_a_day_is_chinas_civil_day(time: int) -> None:
    from haitang.base.clock import CHINA

    at = instant(time)
    local = at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    assert start(micros(at), "day") == micros(local)
