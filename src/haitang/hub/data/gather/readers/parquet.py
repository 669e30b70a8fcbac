"""Parquet: rows in batches, values as text, what is nested as JSON."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers.chunks import Tally, as_json, judged
from haitang.hub.data.gather.readers.judging import Judge
from haitang.hub.data.gather.readers.types import ROWS, Chunk, Layout, Position


def read_parquet(path: Path, layout: Layout, start: Position | None = None) -> Iterator[Chunk]:
    """The rows as chunks; `line` is the number of the row from 1."""
    try:
        yield from _chunks(path, layout, start)
    except (pa.ArrowException, OSError) as failure:
        raise faults.NOT_PARQUET(name=path.name, why=str(failure)[:300]) from failure


def _chunks(path: Path, layout: Layout, start: Position | None) -> Iterator[Chunk]:
    total = path.stat().st_size
    judge = Judge([], layout.totals)
    tally = Tally(start["file_rows"], dict(start["left_out"])) if start else Tally()
    with pq.ParquetFile(path) as file:
        rows, at = file.metadata.num_rows, tally.file_rows
        if at >= rows:
            yield _chunk(pa.RecordBatch.from_pylist([], schema=file.schema_arrow), at, judge, tally, total, total, True)
            return
        for batch in _from(file, at):
            done = tally.file_rows + batch.num_rows >= rows
            read = total * (tally.file_rows + batch.num_rows) // rows
            yield _chunk(batch, tally.file_rows, judge, tally, read, total, done)


def _from(file: pq.ParquetFile, row: int) -> Iterator[pa.RecordBatch]:
    """Batches from a row on; groups of rows before it are not read."""
    groups, skipped = list(range(file.num_row_groups)), 0
    while groups and skipped + file.metadata.row_group(groups[0]).num_rows <= row:
        skipped += file.metadata.row_group(groups.pop(0)).num_rows
    left = row - skipped
    for batch in file.iter_batches(batch_size=ROWS, row_groups=groups):
        if left < batch.num_rows:
            yield batch.slice(left)
        left = max(left - batch.num_rows, 0)


def _chunk(batch: pa.RecordBatch, at: int, judge: Judge, tally: Tally, read: int, total: int, done: bool) -> Chunk:
    tally.file_rows += batch.num_rows
    names = [str(name) for name in batch.schema.names]
    columns = pa.RecordBatch.from_arrays([_text(column) for column in batch.columns], names=names)
    kept_columns, line, kept = judged(columns, np.arange(at + 1, at + 1 + batch.num_rows), judge, tally)

    def raw(places: "list[int]") -> list[str]:
        return [as_json(columns.slice(int(kept[place]), 1).to_pylist()[0]) for place in places]

    return Chunk(kept_columns, line, (), raw, tally.position(), tally.file_rows, read, total, dict(tally.left_out), done)  # type: ignore[arg-type]


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        told = (None if value is None else _plain(value) for value in column.to_pylist())
        return pa.array(list(told), pa.string())
    if pa.types.is_timestamp(kind):
        return pc.replace_substring_regex(pc.cast(column, pa.string()), r"\.0+(Z?)$", r"\1")
    return pc.cast(column, pa.string())


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return as_json(value)  # type: ignore[arg-type]
