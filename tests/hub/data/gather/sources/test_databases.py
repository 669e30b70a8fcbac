"""PostgreSQL, MariaDB and SQLite as sources: real servers, read only, by change cursor or whole."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pymysql
import pytest

from haitang.base.errors import HaitangError
from haitang.hub.data.gather.sources.connecting import Address, address_of, reading
from haitang.hub.data.gather.sources.extracting import Asked, extract, probe
from tests.hub.data.gather.readers.read_all import read_all
from tests.mariadb import PASSWORD, mariadb

TABLE = "create table permits (id integer primary key, holder varchar(100), amount decimal(10,2), changed {time})"
BY_CHANGE = Asked(table="permits", cursor="changed", overlap=timedelta(minutes=10))


@dataclass
class Server:
    """A database with an empty table `permits`: how it is written, and the address from which it is read."""

    write: Callable[[str], Any]
    address: Address


def _postgresql(tmp_path: Path) -> Iterator[Server]:
    url = os.environ["HAITANG_DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("create schema if not exists outside")
        admin.execute("set search_path to outside")
        admin.execute(TABLE.format(time="timestamptz"))
        admin.execute("drop role if exists outside_reader")
        admin.execute("create role outside_reader login password 'p%ss/w:rd@ x'")
        admin.execute("grant usage on schema outside to outside_reader")
        admin.execute("grant all on all tables in schema outside to outside_reader")
        admin.execute("alter role outside_reader set search_path to outside")
        rest = url.rpartition("@")[2]
        yield Server(admin.execute, address_of(f"postgresql://outside_reader@{rest}", "permits", "p%ss/w:rd@ x"))
        admin.execute("drop schema outside cascade")
        admin.execute("drop role outside_reader")


@pytest.fixture(scope="module")
def mariadb_port() -> Iterator[int]:
    with mariadb() as port:
        yield port


def _mariadb(port: int) -> Iterator[Server]:
    with pymysql.connect(host="127.0.0.1", port=port, user="writer", password="writer", database="source", autocommit=True) as admin:

        def write(statement: str) -> None:
            with admin.cursor() as cursor:
                cursor.execute(statement)

        write("set time_zone='+08:00'")
        write(TABLE.format(time="datetime(6)"))
        yield Server(write, address_of(f"mysql://reader@127.0.0.1:{port}/source", "permits", PASSWORD))
        write("drop table permits")


def _sqlite(tmp_path: Path) -> Iterator[Server]:
    with sqlite3.connect(tmp_path / "source.db", isolation_level=None) as admin:
        admin.execute(TABLE.format(time="text"))
        yield Server(admin.execute, address_of(f"sqlite:///{tmp_path}/source.db", "permits"))


@pytest.fixture(params=["postgresql", pytest.param("mariadb", marks=pytest.mark.mariadb), "sqlite"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "mariadb":
        yield from _mariadb(request.getfixturevalue("mariadb_port"))
    else:
        yield from {"postgresql": _postgresql, "sqlite": _sqlite}[request.param](tmp_path)


def insert(server: Server, *rows: tuple[int, str, str]) -> None:
    for id, holder, changed in rows:
        server.write(f"insert into permits values ({id}, '{holder}', 1.50, '{changed}')")


def ids(path: Path) -> list[str | None]:
    return [row[0] for row in read_all(path).rows]


def test_all_rows_are_read_as_text(server: Server, tmp_path: Path) -> None:
    insert(server, (1, "甲厂", "2026-11-25 10:00:00+08:00" if server.address.engine == "postgresql" else "2026-11-25 10:00:00"))
    server.write("insert into permits values (2, null, null, null)")
    taken = extract(server.address, Asked(table="permits"), None, tmp_path / "out.parquet")
    read = read_all(tmp_path / "out.parquet")
    assert (taken.rows, taken.cursor) == (2, None)
    assert read.names == ["id", "holder", "amount", "changed"]
    assert [read.rows[0][0], read.rows[0][1], read.rows[0][3]] == ["1", "甲厂", "2026-11-25 10:00:00"]
    assert float(read.rows[0][2] or 0) == 1.5
    assert read.rows[1] == ["2", None, None, None]


def test_a_change_cursor_reads_what_changed_with_ties_and_latecomers(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    insert(server, (1, "a", "2026-11-25 09:00:00"), (2, "b", "2026-11-25 10:00:00"))
    first = extract(server.address, BY_CHANGE, None, out)
    assert ids(out) == ["1", "2"]
    insert(server, (3, "tie", "2026-11-25 10:00:00"), (4, "next", "2026-11-25 10:05:00"))
    second = extract(server.address, BY_CHANGE, first.cursor, out)
    assert set(ids(out)) == {"2", "3", "4"}
    late = "2026-11-25 09:56:00" if server.address.engine != "sqlite" else "2026-11-25 10:05:00"  # text has no overlap, only ties
    insert(server, (5, "late", late))
    third = extract(server.address, BY_CHANGE, second.cursor, out)
    assert "5" in ids(out)
    assert "1" not in ids(out)
    assert third.cursor == second.cursor


def test_a_number_as_cursor_goes_on_by_its_ties(server: Server, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    asked = Asked(query="select id, holder from permits where holder like '%s' or holder like '%a%'", cursor="id")
    insert(server, *((n, "abc", "2026-11-25 09:00:00") for n in range(1, 6)))
    first = extract(server.address, asked, None, out)
    assert first.cursor == {"type": "int", "value": "5"}
    insert(server, (6, "xaz", "2026-11-25 09:00:00"), (7, "bcd", "2026-11-25 09:00:00"))
    extract(server.address, asked, first.cursor, out)
    assert ids(out) == ["5", "6"]


def test_rows_without_a_cursor_value_are_read_each_time(server: Server, tmp_path: Path) -> None:
    insert(server, (1, "a", "2026-11-25 09:00:00"))
    first = extract(server.address, BY_CHANGE, None, tmp_path / "out.parquet")
    server.write("insert into permits values (2, 'b', 1, null)")
    extract(server.address, BY_CHANGE, first.cursor, tmp_path / "out.parquet")
    assert set(ids(tmp_path / "out.parquet")) == {"1", "2"}


def test_an_empty_table_keeps_the_cursor(server: Server, tmp_path: Path) -> None:
    since = {"type": "int", "value": "5"}
    assert extract(server.address, Asked(table="permits", cursor="id"), since, tmp_path / "out.parquet").cursor == since
    assert read_all(tmp_path / "out.parquet").rows == []


def test_nothing_can_be_written(server: Server) -> None:
    with pytest.raises(HaitangError, match="not_read"), reading(server.address) as opened:
        opened.rows("delete from permits returning id")


def test_a_probe_shows_columns_and_some_rows(server: Server) -> None:
    insert(server, *((n, "a", "2026-11-25 09:00:00") for n in range(9)))
    found = probe(server.address, BY_CHANGE)
    assert found.columns == ("id", "holder", "amount", "changed")
    assert len(found.sample) == 5
    assert found.version


def test_a_cursor_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(HaitangError, match="no_cursor_column"):
        extract(server.address, Asked(table="permits", cursor="nowhere"), None, tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_a_password_is_never_told(server: Server) -> None:
    if server.address.engine == "sqlite":
        wrong = address_of("sqlite:////nowhere/at/all.db", "permits")
    else:
        wrong = address_of(f"{server.address.engine}://reader@127.0.0.1:{server.address.port}/nowhere", "permits", "s3cret/口令")
    with pytest.raises(HaitangError) as failure, reading(wrong):
        pass
    told = f"{failure.value} {wrong!r} {wrong}"
    assert "s3cret" not in told
    assert quote("s3cret/口令", safe="") not in told
    assert failure.value.code == "gather.not_connected"


def test_an_address_by_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERMITS_DATABASE", "mysql://reader:s3cret@db:3307/permits")
    found = address_of("env:PERMITS_DATABASE", "permits")
    assert (found.engine, found.host, found.port, found.user, found.database) == ("mysql", "db", 3307, "reader", "permits")
    assert "s3cret" not in repr(found)
    with pytest.raises(HaitangError, match="no_database_setting"):
        address_of("env:NOT_SET", "permits")
    with pytest.raises(HaitangError, match="unknown_database"):
        address_of("oracle://x/y", "permits")
