"""Parts: accepted rows of a chunk as a Parquet file that survives a loss of power, until the writer has put it into the lake.

They lie in `DATA/gather/<run>/`, not in the lake's folder, whose tidying removes what its catalogue does not name. A part is written as the lake's own
file would be, but for the block, so that the writer need not write its rows again where all of them are new.
"""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from haitang.base.clock import now
from haitang.base.disk import put
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


def whole(accepted: Any, run: UUID, release: str) -> Any:
    """An Arrow table of accepted rows (the resource's columns and `line`) with the columns that the lake adds, all but `block`."""
    rows = len(accepted)
    return (
        accepted.append_column("block_index", pa.array(np.arange(rows, dtype=np.int32)))
        .append_column("run", _same(str(run), rows))
        .append_column("gathered_at", pa.repeat(pa.scalar(now(), pa.timestamp("us", "UTC")), rows))
        .append_column("release", _same(release, rows))
    )


def _same(text: str, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def write(table: Any, to: Path) -> None:
    """Write, sync and name a Parquet file; one that stands there from before a crash is replaced."""
    to.parent.mkdir(parents=True, exist_ok=True)
    made = to.with_suffix(".incoming")
    alike = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    whole = [field.name for field in table.schema if pa.types.is_integer(field.type)]
    pq.write_table(
        table, made, compression="zstd", use_dictionary=alike, column_encoding=dict.fromkeys(whole, "DELTA_BINARY_PACKED"),
        store_decimal_as_integer=True, data_page_version="2.0", write_batch_size=8192,
    )  # fmt: skip
    put(made, to)


def forget(run: UUID) -> None:
    """Remove what a run has staged."""
    shutil.rmtree(folder(run), ignore_errors=True)
