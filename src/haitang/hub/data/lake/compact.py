"""Keeps the lake's files few and its history short. Runs inside the writer's process, between commits: one writer.

Merging rewrites rows with all their columns, so (block, block_index) of a row stays.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import structlog

from haitang.base.clock import now
from haitang.base.settings import settings
from haitang.hub.data.lake import offsets
from haitang.hub.data.lake.connection import quoted
from haitang.hub.data.lake.s3 import is_s3
from haitang.hub.data.lake.transaction import transaction

log = structlog.get_logger()

KEEP = timedelta(hours=1)  # how long a reader may stay on a snapshot before its files go
_REWRITE = 0.3  # share of deleted rows from which a file is written anew


def merge(connection: Any) -> int:
    """Merge small files; returns the number of files that were merged."""
    with transaction(connection):
        merged = connection.execute("select sum(files_processed) from ducklake_merge_adjacent_files('lake')").fetchone()
    return int(merged[0] or 0)


def merge_unless_merged(connection: Any) -> int:
    """The same, or nothing when another session on the catalogue (an operator's, a benchmark's) has just merged the same files: no reason to open everything anew."""
    try:
        return merge(connection)
    except duckdb.TransactionException as conflict:
        log.info("lake.merged_meanwhile", reason=str(conflict).splitlines()[-1])
        return 0


def tidy(connection: Any, *, keep: timedelta = KEEP) -> int:
    """The hourly round: write out small rows kept in the catalogue, drop deleted rows, expire snapshots, remove files that nothing names any more.

    Returns the number of files removed.
    """
    until = quoted((now() - keep).isoformat()) + "::timestamptz"
    with transaction(connection, "offsets"):
        offsets.trim(connection)
    with transaction(connection):
        connection.execute("call ducklake_flush_inlined_data('lake')")
    with transaction(connection):
        connection.execute(f"call ducklake_rewrite_data_files('lake', delete_threshold => {_REWRITE})")
    merge(connection)
    connection.execute(f"call ducklake_expire_snapshots('lake', older_than => {until})")
    removed = connection.execute(f"call ducklake_cleanup_old_files('lake', older_than => {until})").fetchall()
    orphans = connection.execute(f"call ducklake_delete_orphaned_files('lake', older_than => {until})").fetchall()
    if orphans:
        log.info("lake.orphans_removed", files=len(orphans))
    _remove_empty_folders()
    return len(removed) + len(orphans)


def _remove_empty_folders() -> None:
    """Folders of partitions (`day=…`, `block=…`) whose every file was merged into another."""
    if is_s3(settings().lake_path):
        return
    for folder in (Path(settings().lake_path) / "main").glob("*/*=*"):
        if not any(folder.iterdir()):
            folder.rmdir()
