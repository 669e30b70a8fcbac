"""A lake of its own for a test: a folder and a database.

Most of the time that such tests took went into two things that are the same each time, and are done once here: making the tables, and the check of the signatures of
DuckDB's extensions, 80 MB for each of hundreds of connections. Processes that tests start do both as ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import psycopg

from haitang.base import settings as base
from haitang.base.ids import new_id
from haitang.hub.data.lake import connection, schema
from haitang.support.infrastructure.stream.messages import Batch, Observation, SetAside
from tests.database import when_free

START = 1_772_294_400_000_000  # 2026-03-01T00:00:00+08:00
SECOND = 1_000_000
connection.CONFIG["allow_unsigned_extensions"] = "true"  # in this process: their signatures are not looked at
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND


@contextmanager
def fresh_settings(folder: Path, template: str = "template1") -> Iterator[base.Settings]:
    """Settings with an empty data directory and an empty database, or one made as `template` is."""
    before = base.settings()
    name = f"lake_{new_id().hex}"
    with psycopg.connect(before.database_url, autocommit=True) as admin:
        when_free(admin, f"create database {name} template {template}")
        url = _address(before.database_url, name)
        ours = replace(before, data=folder, lake="", database_url=url)
        base.use(ours)
        try:
            yield ours
        finally:
            base.use(before)
            connection.forget()
            when_free(admin, f"drop database {name} with (force)")


@contextmanager
def fresh_lake(folder: Path) -> Iterator[Any]:
    """The writer's connection to an empty lake."""
    with fresh_settings(folder, _empty_lake(base.settings().database_url)) as settings:
        with psycopg.connect(settings.database_url) as database:
            database.execute("update lake.ducklake_metadata set value = %s where key = 'data_path'", [settings.lake_path.rstrip("/") + "/"])
        lake = connection.writer()
        try:
            yield lake
        finally:
            lake.close()


@cache
def _empty_lake(address: str) -> str:
    """The database on this server that each empty lake is made as."""
    name = f"empty_lake_{new_id().hex}"
    before = base.settings()
    with psycopg.connect(address, autocommit=True) as admin, TemporaryDirectory() as folder:
        admin.execute(f"create database {name}")
        base.use(replace(before, data=Path(folder), lake="", database_url=_address(address, name)))
        try:
            lake = connection.writer()
            schema.ensure(lake)
            lake.close()
        finally:
            base.use(before)
    return name


def _address(address: str, database: str) -> str:
    return urlsplit(address)._replace(path=f"/{database}").geturl()


def reading(
    number: float | None = 1.0,
    *,
    at: int = START,
    thing: str = "s1",
    property: str = "pm2_5",
    length: int = HOUR,
    quality: str = "normal",
    **more: Any,
) -> Observation:
    """An hour mean of one station, unless said otherwise."""
    given = {
        "node": "500111", "thing": thing, "property": property, "statistic": "mean" if length else "instant", "period_start": at,
        "period_end": at + length, "unit": "ug/m3", "quality": quality, "origin": "simulated", "source_ref": f"m-{at}",
        "received_at": at + length, "number": number,
    }  # fmt: skip
    return Observation(**{**given, **more})


def aside(raw: str = "##", at: int = START) -> SetAside:
    return SetAside("500111", "s1", "unknown_factor", "a99999", raw, "simulated", f"m-{at}", at)


def batch(*rows: Observation, aside: tuple[SetAside, ...] = (), release: str = "r1") -> Batch:
    return Batch(id=str(new_id()), listener="test", received_at=START, release=release, observations=list(rows), set_aside=list(aside))
