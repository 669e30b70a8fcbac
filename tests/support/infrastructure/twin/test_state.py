"""The newest period wins, in whatever order readings come."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.support.infrastructure.stream.messages import Observation
from haitang.support.infrastructure.twin import queries, state

START = 1_772_294_400_000_000
HOUR = 3_600_000_000


def reading(number: float | None, at: int = START, *, thing: str = "s1", received: int = 0, text: str | None = None) -> Observation:
    return Observation(
        "500111",
        thing,
        "pm2_5",
        "mean",
        at,
        at + HOUR,
        "ug/m3",
        "normal",
        "simulated",
        f"m{at}",
        at + HOUR + received,
        number=number,
        text=text,
    )


def update(*rows: Observation, block: int = 1) -> set[str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select 1")  # the test's transaction begins, so that the update is a savepoint in it
    raw: Any = connection.connection
    return state.update(raw, [("hour mean", row) for row in rows], block)


@pytest.mark.django_db
def test_a_late_reading_does_not_replace_a_newer_one() -> None:
    assert update(reading(2, START + HOUR), reading(1, START)) == {"s1"}
    assert update(reading(0, START - HOUR), reading(5, thing="s2"), block=2) == {"s2"}
    assert [(row.thing, row.number) for row in queries.latest(statistic="hour mean")] == [("s1", 2), ("s2", 5)]


@pytest.mark.django_db
def test_a_correction_of_the_same_period_replaces_and_an_older_copy_does_not() -> None:
    update(reading(1, received=5))
    assert update(reading(9, received=4)) == set()
    assert update(reading(3, received=6)) == {"s1"}
    assert queries.latest(["s1"], ["pm2_5"]).get().number == 3


@pytest.mark.django_db
def test_text_with_nul_and_no_rows_are_taken() -> None:
    from django.db import connection

    update(reading(None, text="大\0风"))
    assert queries.latest().get().text == "大�风"
    assert update(block=7) == set()
    assert state.position(connection.connection) == 7
    update(block=3)
    assert state.position(connection.connection) == 7


@given(st.permutations([reading(n, START + n % 4 * HOUR, received=n) for n in range(8)]))
def test_newest_does_not_depend_on_the_order(rows: list[Observation]) -> None:
    assert state.newest(("hour mean", row) for row in rows)["s1", "pm2_5", "hour mean"].number == 7


@pytest.mark.django_db
def test_as_json_it_says_what_the_rows_say() -> None:
    update(reading(0.5, thing="s2"), reading(None, text='"好"\\'), reading(2.0, thing="s3"))
    asked: Any
    for asked in ((), (["s1", "s2"],), (None, ["pm2_5"], "hour mean"), (None, ["o3"])):
        told = json.loads(queries.latest_as_json(*asked))
        for row in told:
            row |= {name: datetime.fromisoformat(row[name]) for name in ("period_start", "period_end", "received_at")}
        assert told == list(queries.latest(*asked).values())
