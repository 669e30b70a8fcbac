"""Parts: accepted rows of a chunk as a Parquet file that survives a loss of power, until the writer has put it into the lake.

They lie in `DATA/gather/<run>/`, not in the lake's folder, whose tidying removes what its catalogue does not name.
"""

import os
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq

from haitang.base.settings import settings


def top() -> Path:
    return settings().data / "gather"


def folder(run: UUID) -> Path:
    return top() / "parts" / str(run)


def path(run: UUID, number: int) -> Path:
    return folder(run) / f"{number:06}.parquet"


def held_keys(run: UUID, number: int) -> Path:
    """Keys of the rows of a chunk that were quarantined: a full load does not take them for removed."""
    return folder(run) / f"{number:06}.held.parquet"


def write(table: Any, to: Path) -> None:
    """Write, sync and name a Parquet file; one that stands there from before a crash is replaced."""
    to.parent.mkdir(parents=True, exist_ok=True)
    made = to.with_suffix(".incoming")
    pq.write_table(table, made, compression="lz4", use_dictionary=False)  # read once, soon: cheap to write rather than small
    _sync(made)
    os.replace(made, to)
    _sync(to.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def forget(run: UUID) -> None:
    """Remove what a run has staged."""
    shutil.rmtree(folder(run), ignore_errors=True)
