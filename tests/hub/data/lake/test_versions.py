"""What is kept of a table holds exactly until the table changes."""

from typing import Any

from haitang.hub.data.lake import compact, versions


def version(table: str) -> int | None:
    found = versions.version(table)
    return found and found.rows


ROW = "(1, 'observations', 1, '', 0, 0, now(), '', null)"


def test_a_version_moves_with_its_own_table_alone(lake: Any) -> None:
    blocks, offsets = version("blocks"), version("offsets")
    lake.execute(f"insert into lake.blocks values {ROW}")
    assert (version("blocks"), version("offsets")) == (blocks + 1, offsets)  # type: ignore[operator]
    lake.execute("delete from lake.blocks")
    assert version("blocks") == blocks + 2  # type: ignore[operator]
    assert version("offsets") == offsets


def test_an_update_and_a_new_column_move_it(lake: Any) -> None:
    lake.execute(f"insert into lake.blocks values {ROW}")
    seen = version("blocks")
    lake.execute("update lake.blocks set rows = 2")
    moved = version("blocks")
    assert moved != seen
    lake.execute("alter table lake.blocks add column more varchar")
    assert version("blocks") != moved


def test_a_version_says_whether_columns_changed(lake: Any) -> None:
    seen = versions.version("blocks")
    assert seen is not None
    lake.execute(f"insert into lake.blocks values {ROW}")
    assert versions.version("blocks") == (seen.rows + 1, seen.columns)
    lake.execute("alter table lake.blocks add column more varchar")
    assert versions.version("blocks") == (seen.rows + 2, seen.rows + 2)


def test_a_table_that_is_not_there_has_none_until_it_is_made(lake: Any) -> None:
    assert version("resource_new") is None
    lake.execute("create table lake.resource_new (a integer)")
    assert version("resource_new") is not None


def test_a_table_made_anew_is_another(lake: Any) -> None:
    lake.execute("create table lake.resource_new (a integer)")
    seen = version("resource_new")
    lake.execute("drop table lake.resource_new")
    assert version("resource_new") is None
    lake.execute("create table lake.resource_new (a integer)")
    assert version("resource_new") not in (seen, None)


def test_what_changed_in_snapshots_that_expired_unseen_counts_as_changed(lake: Any) -> None:
    offsets = version("offsets")
    for _ in range(3):
        lake.execute(f"insert into lake.blocks values {ROW}")
    lake.execute("call ducklake_expire_snapshots('lake', older_than => now() + interval '1 minute')")
    assert version("offsets") != offsets


def test_upkeep_that_keeps_every_row_leaves_it(lake: Any) -> None:
    for _ in range(3):  # enough to stand in files of their own, which are merged
        lake.execute("insert into lake.blocks select i, 'observations', 1, '', 0, 0, now(), '', null from range(2000) r(i)")
    lake.execute("delete from lake.blocks where id % 2 = 0")
    lake.execute(f"insert into lake.blocks values {ROW}")
    seen = version("blocks")
    compact.tidy(lake)
    changes = str(lake.execute("select list(changes_made) from __ducklake_metadata_lake.lake.ducklake_snapshot_changes").fetchall())
    assert ("merge_adjacent" in changes, "rewrite_delete" in changes) == (True, True)
    assert version("blocks") == seen, changes


def test_another_table_made_or_dropped_leaves_it(lake: Any) -> None:
    seen = version("blocks")
    lake.execute("create table lake.resource_new (a integer)")
    assert version("blocks") == seen
    lake.execute("drop table lake.resource_new")
    assert version("blocks") == seen
