"""The lake over HTTP: for a known actor, with errors that say how to mend them."""

import json
import math
from collections.abc import Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from haitang.base.asker import ASKER, Asker
from haitang.hub.data.lake import rollup
from haitang.hub.data.lake.as_json import columns
from haitang.hub.data.lake.data_api import routes
from haitang.hub.data.lake.writer import Writer
from tests.hub.data.fresh import HOUR, START, batch, fresh_lake, reading

SERIES = {
    "thing": "s1",
    "property": "pm2_5",
    "statistic": "hour mean",
    "start": "2026-03-01T00:00:00+08:00",
    "end": "2026-03-02T00:00:00+08:00",
}


def as_asker(asker: Asker | None) -> ASGIApp:
    """The routes, with the asker that the front's door would have put into the scope."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await Starlette(routes=routes)({**scope, ASKER: asker}, receive, send)

    return run


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A lake with three hours of readings and the tables of a resource, which tests only read."""
    with fresh_lake(tmp_path_factory.mktemp("unchanged")) as lake:
        rollup.update(lake, Writer(lake, "s").write([(1, batch(*[reading(n, at=START + n * HOUR) for n in range(3)]))]).position)
        for table in ("resource_permit", "resource_permit_past"):
            lake.execute(f"create table lake.{table} as select '某餐馆' as holder")
        yield lake


@pytest.fixture
def client(unchanged: Any) -> TestClient:
    return TestClient(as_asker(Asker("staff:1", frozenset({"data.read"}))))


def test_series_names_the_table_it_was_read_from(client: TestClient) -> None:
    answer = client.get("/series", params=SERIES).json()
    assert answer["table"] == "rollup_hour"
    assert answer["mean"] == [0, 1, 2]
    assert answer["time"][0] == "2026-02-28T16:00:00Z"


def without(name: str, **more: str) -> dict[str, str]:
    return {key: value for key, value in SERIES.items() if key != name} | more


def test_without_a_property_every_reading_of_the_thing_is_given(client: TestClient) -> None:
    answer = client.get("/series", params=without("property")).json()
    assert (answer["table"], answer["property"], answer["statistic"]) == ("observations", ["pm2_5"] * 3, ["hour mean"] * 3)
    assert answer["value"] == [0, 1, 2]


@pytest.mark.parametrize("bucket", ["day", "day of raw"])
def test_without_a_thing_a_bucket_is_over_all_things(lake: Any, bucket: str) -> None:
    rollup.update(
        lake, Writer(lake, "s").write([(1, batch(reading(1), reading(2, thing="s2"), reading(6, thing="s3", at=START + HOUR)))]).position
    )
    answer = TestClient(as_asker(Asker("staff:1", frozenset({"data.read"})))).get("/series", params=without("thing", bucket=bucket)).json()
    assert {name: answer[name] for name in ("count", "mean", "min", "max")} == {"count": [3], "mean": [3], "min": [1], "max": [6]}


def test_instants_are_written_as_they_are_wherever_they_come_from() -> None:
    times = [START, START + 1, None, -1, START, 0]
    table = pa.table({"time": pa.array(times, pa.timestamp("us", tz="UTC")), "value": [1.0, None, 2.5, 3.0, 4.0, 5.0]})
    assert json.loads(columns(table, table="raw")) == json.loads(msgspec.json.encode({"table": "raw", **table.to_pydict()}))
    assert columns(table.slice(0, 0)) == b'{"time":[],"value":[]}'


@given(
    st.lists(st.none() | st.floats(), max_size=5),
    st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), max_size=5),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=5),
    st.lists(st.none() | st.booleans(), max_size=5),
)
def test_columns_say_in_json_what_they_hold(numbers: list[Any], texts: list[Any], counts: list[Any], flags: list[Any]) -> None:
    for values, type in ((numbers, pa.float64()), (texts, pa.string()), (counts, pa.int64()), (flags, pa.bool_())):
        for column in (pa.chunked_array([pa.array(values, type)]), pa.chunked_array([pa.array(values, type)] * 2)):
            told = json.loads(columns(pa.table({'"': column})))
            assert told == {'"': [None if isinstance(each, float) and not math.isfinite(each) else each for each in column.to_pylist()]}


def test_tables_are_filtered_sorted_and_limited(client: TestClient) -> None:
    rows = client.get("/tables/rollup_hour", params={"sort": "-start", "limit": 2, "thing": "s1"}).json()
    assert [row["mean"] for row in rows] == [2, 1]
    assert client.get("/tables/rollup_hour", params={"thing": "'; drop table x"}).json() == []


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/series", {**SERIES, "start": "2026-03-01"}, 400, "lake.bad_parameter"),
        ("/series", {**SERIES, "start": "soon"}, 400, "lake.bad_parameter"),
        ("/series", {**SERIES, "bucket": "week"}, 400, "lake.bad_bucket"),
        ("/series", without("thing", bucket="week"), 400, "lake.bad_bucket"),
        ("/series", {}, 400, "lake.bad_parameter"),
        ("/tables/people", {}, 404, "lake.no_such_table"),
        ("/tables/blocks", {"limit": "0"}, 400, "lake.bad_parameter"),
        ("/tables/blocks", {"limit": "²"}, 400, "lake.bad_parameter"),
        ("/series", {**SERIES, "thing": "\0"}, 400, "lake.bad_parameter"),
        ("/twin", {"thing": "\0"}, 400, "lake.bad_parameter"),
        ("/tables/%00", {}, 400, "lake.bad_parameter"),
        ("/tables/blocks", {"sort": "no"}, 400, "lake.bad_parameter"),
        ('/tables/x"y', {}, 404, "lake.no_such_table"),
    ],
)
def test_what_cannot_be_answered_says_why(client: TestClient, path: str, params: dict[str, str], status: int, code: str) -> None:
    answer = client.get(path, params=params)
    assert (answer.status_code, answer.json()["error"]) == (status, code)


@pytest.mark.parametrize(
    ("asker", "status"),
    [(None, 401), (Asker("staff:1", frozenset()), 403), (Asker("staff:1", frozenset(), may_own=frozenset({"data.read"})), 403)],
)
def test_who_may_not_read_data_gets_none(client: TestClient, asker: Asker | None, status: int) -> None:
    stranger = TestClient(as_asker(asker), headers={"X-Haitang-Actor": "staff:1", "X-Haitang-May": "data.read"})
    assert stranger.get("/series", params=SERIES).status_code == status
    assert client.get("/series", params=SERIES).status_code == 200


@pytest.mark.parametrize("suffix", ["", "_past"])
@pytest.mark.parametrize(
    "name",
    ["resource_permit", "RESOURCE_permit", "%72esource_permit", "lake.resource_permit", "main.resource_permit", "lake.main.resource_permit",
     '"resource_permit', " resource_permit", "resource_permit ", "resource_permit%0a", "resource_permit;", "(select * from lake.resource_permit)",
     "resource_permit as rollup_hour", "blocks, lake.resource_permit", "derived_x union select * from lake.resource_permit"],
)  # fmt: skip
def test_rows_of_a_resource_are_read_by_no_name_of_their_table(client: TestClient, name: str, suffix: str) -> None:
    answer = client.get(f"/tables/{name.replace('permit', 'permit' + suffix)}")
    assert (answer.status_code in (400, 403, 404), "某餐馆" in answer.text) == (True, False)
    assert client.get("/tables/resource_permit").json()["error"] == "lake.by_resource"


@pytest.mark.parametrize(
    "name", ["duckdb_tables", "duckdb_settings", "sqlite_master", "pragma_database_list", "pg_tables", "secrets.csv", "rows"]
)
def test_nothing_but_tables_of_the_lake_has_a_name(client: TestClient, name: str) -> None:
    assert client.get(f"/tables/{name}").status_code == 404


def test_a_condition_reaches_no_other_table(client: TestClient) -> None:
    for column in ('x" or exists (select 1 from lake.resource_permit) or "x', "(select holder from lake.resource_permit)"):
        answer = client.get("/tables/blocks", params={column: "1"})
        assert (answer.status_code, "某餐馆" in answer.text) == (400, False)
        assert client.get("/tables/blocks", params={"sort": column}).status_code == 400
