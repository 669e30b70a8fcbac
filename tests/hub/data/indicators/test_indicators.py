"""Indicators over a real lake and real cases: the number, what is said about it, and what lies behind it."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from structlog.testing import capture_logs

from haitang.base import clock
from haitang.base.clock import CHINA
from haitang.base.declarations import in_force
from haitang.base.declarations.in_force import holding
from haitang.base.errors import HaitangError
from haitang.hub.business.cases.models import Case
from haitang.hub.data.derive import engine
from haitang.hub.data.indicators import compute, queries
from haitang.hub.data.indicators.models import IndicatorValue
from haitang.hub.data.indicators.refresh import refresh
from haitang.hub.data.lake import rollup
from haitang.hub.data.lake.writer import Writer
from haitang.support.infrastructure.things.models import Thing
from tests.hub.data.fresh import DAY, HOUR, START, batch, fresh_lake, reading
from tests.hub.data.shipped import shipped

CLEAN = {"pm2_5": 30.0, "pm10": 40.0, "so2": 5.0, "no2": 20.0, "co": 0.5, "o3": 60.0}
NOON = datetime(2026, 3, 4, 12, tzinfo=CHINA)  # START is 2026-03-01 in China


@pytest.fixture
def lake(tmp_path: Path, db: None) -> Iterator[Any]:
    """An empty lake, two stations, what ships in force, noon of 4 March."""
    for id in ("s1", "s2"):
        Thing.objects.create(id=id, title=id, device="air_station", mn=id)
    with holding(shipped()), clock.frozen(NOON), fresh_lake(tmp_path) as made:
        yield made


def store(lake: Any, seq: int, *rows: Any) -> None:
    """Write observations and bring the derivations up."""
    position = Writer(lake, "s").write([(seq, batch(*rows))]).position
    rollup.update(lake, position)
    assert engine.update(lake, in_force(), position) == set()


def day(number: int, thing: str = "s1", **values: Any) -> list[Any]:
    """24 hours of all six items; day 0 is 1 March."""
    more = {"origin": values.pop("origin")} if "origin" in values else {}
    measured = {**CLEAN, **values}
    return [
        reading(value, at=START + number * DAY + hour * HOUR, thing=thing, property=item, **more)
        for hour in range(24)
        for item, value in measured.items()
    ]


def test_the_share_of_good_days_of_all_and_of_each_station(lake: Any) -> None:
    store(lake, 1, *day(0), *day(1, pm2_5=100.0), *day(2), *day(2, "s2"))
    assert refresh() == {}
    found = queries.one("good_air_days")
    assert (found.value, found.target, found.status) == (75.0, 92, "bad")
    assert {m.member: round(m.value or 0, 1) for m in found.members} == {"s1": 66.7, "s2": 100.0}


def test_before_anything_was_derived_an_indicator_waits_and_nothing_is_complained_of(lake: Any) -> None:
    with capture_logs() as said:
        assert "derive.not_derived" in refresh()["good_air_days"]
    assert {entry["log_level"] for entry in said} == {"info"}, said
    store(lake, 1, *day(0))
    assert refresh() == {}


def test_a_number_moves_with_its_data_and_keeps_its_history(lake: Any) -> None:
    store(lake, 1, *day(0))
    refresh()
    store(lake, 2, *day(1, pm2_5=100.0))
    refresh()
    values = [v.value for v in queries.history("good_air_days", since=NOON - timedelta(days=1))]
    assert values == [100.0, 50.0]


def test_an_unchanged_number_is_kept_once_an_hour(lake: Any) -> None:
    store(lake, 1, *day(2))
    refresh()
    refresh()
    kept = IndicatorValue.objects.filter(indicator="good_air_days", dimension="")
    assert kept.count() == 1
    with clock.frozen(NOON + timedelta(hours=1)):
        refresh()
    assert kept.count() == 2


def test_a_replayed_stale_or_partial_number_says_so(lake: Any) -> None:
    store(lake, 1, *day(0, origin="replay"), *day(2, "s2", origin="replay"))
    refresh()
    found = queries.one("pm2_5_mean")
    assert (found.origins, found.partial, found.stale) == (["replay"], True, False)
    assert {m.member: m.stale for m in found.members} == {"s1": True, "s2": False}
    with clock.frozen(NOON + timedelta(days=3)):
        assert queries.one("pm2_5_mean").stale


def test_nothing_measured_is_no_number_not_zero(lake: Any) -> None:
    store(lake, 1, reading(5.0, thing="s1"))
    refresh()
    found = queries.one("good_air_days")
    assert (found.value, found.status) == (None, "none")


def test_a_number_leads_to_its_records(lake: Any) -> None:
    store(lake, 1, *day(0), *day(1, pm2_5=100.0), *day(2, "s2"))
    rows = queries.records("good_air_days", dimension="station", member="s1")
    assert [(str(row["day"]), row["aqi"]) for row in rows] == [("2026-03-02", 137), ("2026-03-01", 43)]
    with pytest.raises(HaitangError, match="no_dimension"):
        queries.records("good_air_days", dimension="day", member="x")


def test_cases_closed_in_time_of_those_that_were_due(lake: Any) -> None:
    store(lake, 1, *day(0))
    due = datetime(2026, 3, 3, 18, tzinfo=CHINA)
    for number, (closed_at, on_time, due_at) in enumerate(
        [
            (due - timedelta(hours=1), True, due),
            (due + timedelta(hours=1), False, due),
            (None, None, due),
            (None, None, due + timedelta(days=9)),
        ]
    ):
        Case.objects.create(
            number=str(number), case_kind="air_exceedance", code="0301", title="x", severity="warning", origin="simulated",
            opened_at=due - timedelta(days=2), filed_at=due - timedelta(days=2), due_at=due_at, closed_at=closed_at, closed_on_time=on_time, release="",
        )  # fmt: skip
    assert refresh() == {}
    found = queries.one("case_on_time")
    assert round(found.value or 0, 1) == 33.3
    assert (found.origins, found.stale) == (["simulated"], False)
    assert len(queries.records("case_on_time")) == 3


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("within", [transaction.atomic, nullcontext])
def test_a_statement_is_stopped_in_time_and_what_comes_after_it_is_not(monkeypatch: pytest.MonkeyPatch, within: Any) -> None:
    with monkeypatch.context() as short, within():
        short.setattr(compute, "LONGEST", "100ms")
        with pytest.raises(OperationalError, match="statement timeout"):
            compute.on_relations("select pg_sleep(100)")
        short.setattr(compute, "LONGEST", "5min")
        assert compute.on_relations("select count(*) as n from cases") == [{"n": 0}]
        with connection.cursor() as cursor:
            cursor.execute("show statement_timeout")
            assert cursor.fetchone() == ("0",)


def test_the_year_is_chinas(lake: Any) -> None:
    store(lake, 1, *day(0))
    with clock.frozen(datetime(2026, 12, 31, 16, tzinfo=UTC)):
        refresh()
        assert queries.one("good_air_days").value is None
