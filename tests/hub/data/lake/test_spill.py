"""What does not fit the memory of one DuckDB is never taken for what did not fit that of another."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haitang.base import settings as base
from haitang.hub.data.lake.connection import plain

ROWS = 400_000


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path) -> Any:
    before = base.settings()
    base.use(replace(before, data=tmp_path))
    base.settings().run.mkdir()
    yield
    base.use(before)


def _filled(mark: str) -> Any:
    connection = plain(memory="40MB", threads=1)
    connection.execute(f"create temp table kept as select '{mark}' || i || repeat('{mark}', 200) as text from range({ROWS}) r(i)")
    return connection


def test_two_that_spill_at_once_find_their_own_again() -> None:
    both = {mark: _filled(mark) for mark in ("a", "b")}
    assert list(base.settings().run.rglob("*.tmp"))
    for mark, connection in both.items():
        assert connection.execute(
            f"select count(*) from kept where starts_with(text, '{mark}') and ends_with(text, '{mark}')"
        ).fetchone() == (ROWS,)
        connection.close()
    assert list(base.settings().run.iterdir()) == []


def test_what_a_killed_process_left_is_taken_away() -> None:
    left = base.settings().run / "duckdb-999999999-1"
    left.mkdir()
    (left / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"x")
    plain().close()
    assert not left.exists()
