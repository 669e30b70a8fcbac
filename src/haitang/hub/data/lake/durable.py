"""Makes the Parquet files of a transaction survive a loss of power before it commits.

DuckLake has PostgreSQL fsync the catalogue but not the files that it names. A file created after the transaction began lies in a folder whose modification
time is later than that, so only such folders are looked into; unless the machine's clock was set back meanwhile, which makes new files look old: then into all.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple

from haitang.base import disk
from haitang.base.settings import settings
from haitang.hub.data.lake.s3 import is_s3

SLACK = 2_000_000_000  # nanoseconds; file systems stamp with a coarse clock


class Mark(NamedTuple):
    """A moment by the time of day (Unix nanoseconds) and by the time since the machine started (nanoseconds), which nobody sets."""

    wall: int
    steady: int


def mark() -> Mark:
    """The moment from which `sync` looks for new files; take it before the transaction begins."""
    return Mark(time.time_ns(), time.monotonic_ns())


def _since(began: Mark) -> int:
    """The modification time (Unix nanoseconds) from which a file may be new."""
    ahead = (time.time_ns() - began.wall) - (time.monotonic_ns() - began.steady)
    return 0 if ahead < -SLACK // 2 else began.wall - SLACK


def _sync_folder(folder: Path, since: int) -> int:
    """Sync new files here and below; a folder is two deep (table, partition) under the schema's."""
    count, fresh = 0, folder.stat().st_mtime_ns >= since
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                count += _sync_folder(Path(entry.path), since)
            elif fresh and entry.stat().st_mtime_ns >= since:
                disk.sync(entry.path)
                count += 1
    if fresh:
        disk.sync(folder)
    return count


def sync(began: Mark, *tables: str) -> int:
    """Fsync what was written since `mark` for `tables` (all when none is named) and the folders that name it; returns the number of files.

    On S3 there is nothing left to do: the uploads were answered before the statements that wrote them ended (`s3` says more).
    """
    root = settings().lake_path
    if is_s3(root):
        return 0
    since = _since(began)
    base = Path(root) / "main"
    folders = [base / table for table in tables] if tables else [base]
    count = sum(_sync_folder(folder, since) for folder in folders if folder.is_dir())
    for above in (base, Path(root)):
        if above.is_dir() and above.stat().st_mtime_ns >= since:
            disk.sync(above)
    return count
