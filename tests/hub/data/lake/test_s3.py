"""The lake on a real S3 store: written, merged, tidied, read, and whole before a transaction commits."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from haitang.base import settings as base
from haitang.base.errors import HaitangError
from haitang.hub.data.lake import compact, connection, durable, s3, schema
from haitang.hub.data.lake.writer import Writer
from tests.hub.data.fresh import HOUR, START, batch, fresh_settings, reading
from tests.hub.data.lake.test_writer import roots_hold, rows
from tests.s3_server import S3Server

LAKE = "s3://haitang/lake"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3")).start()
    yield server
    server.stop()


@pytest.fixture
def lake(store: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    with fresh_settings(tmp_path) as settings:
        base.use(replace(settings, lake=f"{LAKE}-{tmp_path.name}"))
        opened = connection.writer()
        schema.ensure(opened)
        yield opened
        opened.close()


def hours(count: int, things: int = 12) -> list[Any]:
    return [
        (n + 1, batch(*[reading(n / 7, at=START + n * HOUR, thing=f"s{thing}") for thing in range(things)], release="r"))
        for n in range(count)
    ]


def test_rows_and_roots_stay_through_merging_and_tidying(lake: Any) -> None:
    writer = Writer(lake, "s")
    for message in hours(6):
        writer.write([message])
    before, files = rows(lake), len(s3.names(base.settings().lake))
    assert compact.merge(lake) > 2
    assert compact.tidy(lake, keep=timedelta(0)) > 2
    assert rows(lake) == before
    assert roots_hold(lake) == 6
    assert len(s3.names(base.settings().lake)) < files
    assert connection.reader().execute("select count(*) from lake.observations").fetchone()[0] == 72


def test_an_object_is_whole_in_the_store_before_the_transaction_commits(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as parquet

    seen: dict[str, int] = {}

    def look(since: int, *tables: str) -> int:
        where = base.settings().lake
        store, top = s3.filesystem(where)
        seen.update({name: parquet.read_metadata(f"{top}/{name}", filesystem=store).num_rows for name in s3.names(where)})
        return 0

    monkeypatch.setattr(durable, "sync", look)
    Writer(lake, "s").write(hours(1, things=200))
    assert 200 in seen.values()
    listed = lake.execute("select data_file from ducklake_list_files('lake', 'observations')").fetchall()
    assert {file for (file,) in listed} <= {f"{base.settings().lake}/{name}" for name in seen}


def test_a_failed_transaction_leaves_orphans_that_tidying_removes(lake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(since: int, *tables: str) -> int:
        raise OSError("the store is full")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "sync", full)
        with pytest.raises(OSError, match="full"):
            Writer(lake, "s").write(hours(1, things=200))
    assert rows(lake) == []
    compact.tidy(lake, keep=timedelta(0))
    assert s3.names(base.settings().lake) == []


@pytest.mark.parametrize(
    ("told", "endpoint", "tls"),
    [
        ({}, "", True),
        ({"AWS_ENDPOINT_URL": "http://s3:8333/"}, "s3:8333", False),
        ({"AWS_ENDPOINT_URL": "https://s3.example"}, "s3.example", True),
        ({"AWS_ENDPOINT": "s3:9000"}, "s3:9000", True),
        ({"AWS_ENDPOINT": "s3:9000", "AWS_ALLOW_HTTP": "1"}, "s3:9000", False),
    ],
)
def test_the_store_is_named_as_other_programs_name_it(told: dict[str, str], endpoint: str, tls: bool) -> None:
    access = s3.Access.of({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", **told})
    assert (access.endpoint, access.tls) == (endpoint, tls)


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({}, "lake.no_credentials"),
        ({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL": "ftp://s3"}, "lake.bad_endpoint"),
        ({"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT": "s3:9000/bucket"}, "lake.bad_endpoint"),
    ],
)
def test_what_is_missing_or_wrong_is_named(told: dict[str, str], code: str) -> None:
    with pytest.raises(HaitangError) as refused:
        s3.Access.of(told)
    assert refused.value.kind.code == code
