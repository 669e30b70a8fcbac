"""A derivation's table is what its SQL gives over all data, however little of it is computed anew."""

import sys
from typing import Any

import pytest

from haitang.base import clock
from haitang.base.declarations import Declarations
from haitang.base.declarations.testing import declarations_of
from haitang.base.errors import HaitangError
from haitang.hub.data.derive import checks, engine, queries  # noqa: F401  checks register themselves
from haitang.hub.data.derive.lineage import lineage
from haitang.hub.data.derive.models import DerivationRun
from haitang.hub.data.derive.plan import plan
from haitang.hub.data.lake import rollup
from haitang.hub.data.lake.buckets import instant
from haitang.hub.data.lake.writer import Writer
from haitang.support.infrastructure.things.models import Thing
from tests.hub.data.fresh import DAY, HOUR, START, batch, reading

DEVICE = """
    title: 空气站
    observes:
      pm2_5: {title: 细颗粒物, unit: ug/m3, statistics: [instant, hour mean]}
      o3: {title: 臭氧, unit: ug/m3, statistics: [instant, hour mean]}
"""
HOURLY = """
    /*---
    title: 小时值
    kind: incremental
    time: hour
    grain: [station, hour]
    tests: [double between 0 and 100]
    ---*/
    select station, hour, pm2_5, o3, twice(pm2_5) as double from hour_means_of('air_station')
"""
DAILY = """
    /*---
    title: 日均值
    kind: incremental
    time: day
    grain: [station, day]
    ---*/
    with h as (select station, day_of(hour) as day, hour_of_day(hour) as hours, double from air_hour)
    select station, day, avg(double) as mean, count(double) as n, max(hours) as last from h group by station, day
"""
STATIONS = """
    /*---
    title: 站点
    kind: keyed
    grain: [station]
    ---*/
    select station, max(mean) as worst from air_day group by station
"""
FUNCTIONS = """
    import pyarrow as pa
    import pyarrow.compute as pc


    def twice(x: pa.DoubleArray) -> pa.DoubleArray:
        return pc.multiply(x, 2.0)
"""
OUTFALL = """
    title: 排污口
    key: [no]
    sharing: unconditional
    fields:
      no: {title: 编号}
      river: {title: 水体}
      daily: {title: 日排放量, type: number}
      owner: {title: 负责人, level: sensitive}
"""
FILES = {
    "devices/air_station.yaml": DEVICE,
    "derive/air_hour.sql": HOURLY,
    "derive/air_day.sql": DAILY,
    "derive/stations.sql": STATIONS,
    "functions.py": FUNCTIONS,
}

pytestmark = pytest.mark.django_db


def declared(**changed: str) -> Declarations:
    return declarations_of({**FILES, **changed})


@pytest.fixture(autouse=True)
def stations(monkeypatch: pytest.MonkeyPatch) -> None:
    release = declared()
    monkeypatch.setattr(sys.modules["haitang.base.declarations.in_force"], "_current", lambda: release)
    for id in ("s1", "s2"):
        Thing.objects.create(id=id, title=id, device="air_station")


def derive(lake: Any, position: int, declarations: Declarations | None = None) -> None:
    rollup.update(lake, position)
    assert engine.update(lake, declarations or declared(), position) == set()


def table(lake: Any, id: str) -> list[tuple[Any, ...]]:
    return lake.execute(f"select * from lake.derived_{id} order by all").fetchall()


def test_hours_days_and_stations_follow_new_late_and_corrected_data(lake: Any) -> None:
    writer = Writer(lake, "s")
    derive(lake, writer.write([(1, batch(*[reading(h, at=START + h * HOUR) for h in range(30)], reading(5, thing="s2")))]).position)
    late = [
        reading(50, at=START - HOUR),
        reading(3, at=START, source_ref="again", received_at=START + DAY),
        reading(4, at=START, property="o3"),
    ]
    derive(
        lake,
        writer.write(
            [(2, batch(*late, reading(None, at=START + HOUR, source_ref="gone", quality="flag:D", received_at=START + DAY)))]
        ).position,
    )
    hours = {(row[0], row[1]): row[2:] for row in table(lake, "air_hour")}
    assert hours["s1", instant(START - HOUR)] == (50, None, 100)
    assert hours["s1", instant(START)] == (3, 4, 6)
    assert hours["s1", instant(START + HOUR)] == (None, None, None)
    assert len(hours) == 32
    days = {(row[0], str(row[1])): row[2:] for row in table(lake, "air_day")}
    assert days["s1", "2026-02-28"] == (100, 1, 23)
    assert days["s1", "2026-03-01"] == (pytest.approx(2 * (3 + sum(range(2, 24))) / 23), 23, 23)
    assert days["s2", "2026-03-01"] == (10, 1, 0)
    assert table(lake, "stations") == [("s1", 100), ("s2", 10)]
    run = queries.last_run("air_hour")
    assert run is not None
    assert (run.buckets, run.rows) == (3, 4)


def test_incremental_is_what_a_full_computation_gives(lake: Any) -> None:
    writer = Writer(lake, "s")
    for seq in range(1, 6):
        rows = [
            reading((seq * 7 + h) % 40, at=START + (h * seq % 60) * HOUR, source_ref=str(seq), received_at=START + seq) for h in range(25)
        ]
        derive(lake, writer.write([(seq, batch(*rows))]).position)
    step_by_step = [table(lake, id) for id in ("air_hour", "air_day", "stations")]
    lake.execute("delete from lake.offsets where name like 'derive:%'")
    derive(lake, writer.position)
    assert [table(lake, id) for id in ("air_hour", "air_day", "stations")] == step_by_step


MOVING = """
    /*---
    title: 滑动平均
    kind: incremental
    time: hour
    looks_back: 2h
    grain: [station, hour]
    ---*/
    select station, hour, avg(pm2_5) over (partition by station order by hour range between interval 2 hour preceding and current row) as mean
    from hour_means_of('air_station')
"""
ON_MOVING = """
    /*---
    title: 滑动平均的两倍
    kind: incremental
    time: hour
    grain: [station, hour]
    ---*/
    select station, hour, mean * 2 as double from moving
"""


def test_rows_that_look_back_follow_a_correction_of_what_they_look_back_on(lake: Any) -> None:
    release, writer = declared(**{"derive/moving.sql": MOVING, "derive/on_moving.sql": ON_MOVING}), Writer(lake, "s")
    derive(lake, writer.write([(1, batch(*[reading(9, at=START + h * HOUR) for h in range(8)]))]).position, release)
    corrected = reading(0, at=START + 3 * HOUR, source_ref="again", received_at=START + DAY)
    derive(lake, writer.write([(2, batch(corrected))]).position, release)
    assert [row[2] for row in table(lake, "moving")] == [9, 9, 9, 6, 6, 6, 9, 9]
    assert [row[2] for row in table(lake, "on_moving")] == [18, 18, 18, 12, 12, 12, 18, 18]
    run = queries.last_run("moving")
    assert run is not None
    assert run.buckets == 3


def test_a_changed_definition_is_computed_anew_with_all_that_reads_it(lake: Any) -> None:
    writer = Writer(lake, "s")
    derive(lake, writer.write([(1, batch(reading(5)))]).position)
    derive(lake, writer.position, declared(**{"functions.py": FUNCTIONS.replace("2.0", "3.0")}))
    assert table(lake, "stations") == [("s1", 15)]
    before = DerivationRun.objects.count()
    derive(lake, writer.position, declared(**{"functions.py": FUNCTIONS.replace("2.0", "3.0")}))
    assert DerivationRun.objects.count() == before


def test_a_station_added_later_brings_its_earlier_data(lake: Any) -> None:
    writer = Writer(lake, "s")
    derive(lake, writer.write([(1, batch(reading(5, thing="s3")))]).position)
    assert table(lake, "stations") == []
    Thing.objects.create(id="s3", title="s3", device="air_station")
    derive(lake, writer.write([(2, batch(reading(1)))]).position)
    assert table(lake, "stations") == [("s1", 2), ("s3", 10)]


def test_rows_that_break_a_test_are_counted_and_shown(lake: Any) -> None:
    derive(lake, Writer(lake, "s").write([(1, batch(*[reading(90, at=START + h * HOUR) for h in range(8)]))]).position)
    run = queries.last_run("air_hour")
    assert run is not None
    assert run.failures[0]["test"] == "double between 0 and 100"
    assert run.failures[0]["rows"] == 8
    assert run.failures[0]["examples"][0]["double"] == "180.0"


def test_a_failing_derivation_holds_up_only_what_reads_it(lake: Any) -> None:
    broken = FUNCTIONS.replace("return", "raise ValueError('no')\n        return")
    extra = (
        "/*---\ntitle: 其他\ngrain: [station]\n---*/\nselect station, max(pm2_5) as top from hour_means_of('air_station') group by station"
    )
    position = Writer(lake, "s").write([(1, batch(reading(5)))]).position
    rollup.update(lake, position)
    failed = engine.update(lake, declared(**{"functions.py": broken, "derive/other.sql": extra}), position)
    assert failed == {"air_hour", "air_day", "stations"}
    assert table(lake, "other") == [("s1", 5)]
    run = queries.last_run("air_hour")
    assert run is not None
    assert "no" in run.error


def test_lineage_leads_to_the_properties_of_the_device() -> None:
    assert lineage("stations")["worst"] == ["air_station.pm2_5, hour mean"]
    assert lineage("air_hour")["o3"] == ["air_station.o3, hour mean"]
    assert lineage("air_day")["day"] == ["air_station.hour"]


def test_indicators_select_from_derivations_by_id(lake: Any) -> None:
    derive(lake, Writer(lake, "s").write([(1, batch(*[reading(h, at=START + h * HOUR) for h in range(24)]))]).position)
    with clock.frozen(instant(START + DAY)):
        found = queries.select("select avg(mean) as mean from air_day where day >= start_of_year() and station = ?", ["s1"])
    assert found == [{"mean": pytest.approx(23.0)}]


def test_what_was_not_derived_yet_is_named_whatever_the_engine_says(lake: Any) -> None:
    both = "with own as (select station from air_day) select count(*) as n from own join stations using (station)"
    with pytest.raises(HaitangError) as refused:
        queries.select(both)
    assert (refused.value.code, refused.value.data["name"]) == ("derive.not_derived", "air_day、stations")
    derive(lake, Writer(lake, "s").write([(1, batch(*[reading(h, at=START + h * HOUR) for h in range(24)]))]).position)
    assert queries.select(both) == [{"n": 1}]
    lake.execute("drop table lake.derived_stations")
    with pytest.raises(HaitangError) as refused:
        queries.select(both)
    assert (refused.value.code, refused.value.data["name"]) == ("derive.not_derived", "stations")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select * from people", "people"),
        ("select * from read_csv('/etc/passwd')", "read_csv"),
        ("select getenv('HOME') as x from air_day", "getenv"),
        ("select * from pg.people", "表名"),
        ("drop table observations", "SELECT"),
        ("select station from hour_means_of(air_station)", "hour_means_of"),
        ("select list(station) from air_day", "array_agg"),
        ("select from where", "bad_sql"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_name(sql: str, said: str) -> None:
    with pytest.raises(HaitangError) as refused:
        queries.select(sql)
    assert said in str(refused.value).lower() or said in str(refused.value)


def test_a_circle_is_refused() -> None:
    from haitang.base.declarations.testing import load_texts

    header = "/*---\ntitle: 圈\ngrain: [station]\n---*/\n"
    loaded = load_texts({**FILES, "derive/a.sql": header + "select station from b", "derive/b.sql": header + "select station from a"})
    assert {problem.code for problem in loaded.errors} == {"derive.no_cycle"}


def test_order_is_that_of_reading() -> None:
    ids = [planned.derive.id for planned in plan(declared())]
    assert ids.index("air_hour") < ids.index("air_day") < ids.index("stations")
