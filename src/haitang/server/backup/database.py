"""Dump and restore of PostgreSQL, and the rows that each table has."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from haitang.base.errors import error
from haitang.support.infrastructure.embedded.binaries import postgres

DUMP_FAILED = error("server.dump_failed", 500, "导出或恢复数据库失败：{said}")


def dump(url: str, file: Path, beside: "Callable[[psycopg.Connection[Any]], object]" = lambda snapshot: None) -> dict[str, int]:
    """Dump the database to `file`; gives the rows of each table in the very state that was dumped. `beside` is called first, at that state."""
    with psycopg.connect(url) as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        snapshot = connection.execute("select pg_export_snapshot()").fetchone()
        assert snapshot
        beside(connection)
        counted = counts(connection)
        _run("pg_dump", url, "--format=custom", "--compress=gzip:3", f"--snapshot={snapshot[0]}", f"--file={file}")
    return counted


def restore(url: str, file: Path) -> dict[str, int]:
    """Restore `file` into the empty database at `url`; gives the rows of each table."""
    _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", str(file))
    with psycopg.connect(url) as connection:
        return counts(connection)


def is_empty(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return not counts(connection)


def move_lake(url: str, path: str) -> None:
    """Tell the lake's catalogue where its files lie now."""
    with psycopg.connect(url) as connection:
        there = connection.execute("select to_regclass('lake.ducklake_metadata')").fetchone()
        if there and there[0]:
            connection.execute("update lake.ducklake_metadata set value = %s where key = 'data_path'", [path.rstrip("/") + "/"])


def counts(connection: "psycopg.Connection[Any]") -> dict[str, int]:
    """Rows by `schema.table`."""
    tables = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2"
    ).fetchall()
    found = {}
    for schema, table in tables:
        row = connection.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))).fetchone()
        found[f"{schema}.{table}"] = int(row[0]) if row else 0
    return found


def _run(program: str, url: str, *arguments: str) -> None:
    parts: dict[str, Any] = dict(psycopg.conninfo.conninfo_to_dict(url))
    password = parts.pop("password", None)
    target = psycopg.conninfo.make_conninfo(**parts)
    environment = {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}
    ran = subprocess.run(
        [str(postgres() / program), f"--dbname={target}", "--no-password", *arguments], env=environment, capture_output=True, text=True
    )
    if ran.returncode:
        raise DUMP_FAILED(said=ran.stderr.strip()[-500:])
