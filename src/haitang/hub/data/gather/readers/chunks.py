"""What all readers need to make chunks: counting, columns of text, rows left out."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from haitang.hub.data.gather.readers.judging import Judge
from haitang.hub.data.gather.readers.types import Broken

Built = tuple[pa.RecordBatch, pa.Int64Array, Sequence[Broken], Callable[[Sequence[int]], list[str]]]


@dataclass
class Tally:
    """Rows of the file so far, and those that are none of data, by word."""

    file_rows: int = 0
    left_out: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(words: Iterable[str]) -> "Tally":
        tally = Tally()
        for word in words:
            tally.leave(word)
            tally.file_rows += 1
        return tally

    def leave(self, word: str, rows: int = 1) -> None:
        """`rows` of the file are no data."""
        if rows:
            self.left_out[word] = self.left_out.get(word, 0) + rows

    def position(self) -> dict[str, Any]:
        return {"file_rows": self.file_rows, "left_out": dict(self.left_out)}


def columns_of(names: Sequence[str], rows: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    """Rows of cells as columns of text."""
    cells = zip(*rows, strict=True) if rows else ([] for _ in names)
    return pa.RecordBatch.from_arrays([pa.array(list(column), pa.string()) for column in cells], names=list(names))


def judged(
    columns: pa.RecordBatch, lines: npt.NDArray[np.int64], judge: Judge, tally: Tally
) -> tuple[pa.RecordBatch, pa.Int64Array, npt.NDArray[np.intp]]:
    """Without the rows that are no data, which are counted; and the places of those that stay."""
    keep, counts = judge.left_out(columns)
    for word, rows in counts.items():
        tally.leave(word, rows)
    if keep.all():
        return columns, pa.array(lines, pa.int64()), np.arange(len(lines))
    return columns.filter(pa.array(keep)), pa.array(lines[keep], pa.int64()), np.flatnonzero(keep)


def from_cells(
    names: Sequence[str], rows: Sequence[Sequence[str | None]], lines: Sequence[int], broken: Sequence[Broken], judge: Judge, tally: Tally
) -> Built:
    """A chunk of rows that are cells already (sheets): what a person sees of a row is its cells, with a tab between them."""
    columns, line, kept = judged(columns_of(names, rows), np.array(lines, np.int64), judge, tally)

    def raw(places: Sequence[int]) -> list[str]:
        return ["\t".join(cell or "" for cell in rows[kept[place]]) for place in places]

    return columns, line, broken, raw


def as_json(record: Mapping[str, Any]) -> str:
    """A record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False, default=str)
