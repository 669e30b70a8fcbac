"""What a reader gives: a file as chunks of text columns, nothing lost, so that a run can count, quarantine and resume.

For every chunk: rows that were read = `len(chunk.line)` + `len(chunk.broken)`, and over the whole file
`file_rows` = rows that were read + the sum of `left_out`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

ROWS = 196_608  # rows of a chunk, at most

# JSON values; only the reader that made it understands it. It names the place after a chunk.
Position = Mapping[str, Any]

# Why a row of the file is no row of data. Words of `Chunk.left_out`.
BLANK, HEADER, TOTALS, TITLE, NOTE, REPEATED_HEADER = "blank", "header", "totals", "title", "note", "repeated_header"
# Rows of a workbook's sheets that were not asked for.
OTHER_SHEET, HIDDEN_SHEET = "other_sheet", "hidden_sheet"


class Layout(BaseModel):
    """How a file is laid out, where it cannot be seen from the file itself. Nothing written: all is found from the content.

    `header`: the row (from 1) of the headings, 0 for none (then `columns` names them). `header_rows`: over how many rows merged headings stand.
    `records`: in JSON the path of the array (`data.rows`). `member`: in a zip the file, as a glob. `totals`: words that begin a row of totals.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["csv", "excel", "json", "parquet", "zip"] | None = None
    encoding: Literal["utf-8", "gb18030", "utf-16"] | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    header: int | None = None
    header_rows: int | None = None
    columns: list[str] | None = None
    records: str | None = None
    member: str | None = None
    totals: list[str] = ["合计", "总计", "小计", "累计"]


@dataclass(frozen=True)
class Broken:
    """A row that cannot be put under the headings: `raw` is its text as far as it could be decoded, `reasons` say why (zh-Hans, in the catalogue)."""

    line: int
    raw: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    `columns`: one text column for each heading, as in the file (not trimmed; a cell that is not there is null). All chunks have the same headings.
    `line`: physical line (or row of the sheet, or number of the record), from 1, on which each row begins; int64.
    `raw`: the text in the file of the rows at these indexes of the chunk, for quarantine.
    `position`: `read(..., start=position)` goes on after this chunk; `done`: nothing follows.
    `file_rows`, `left_out`: so far, over the whole file. `read_bytes` of `total_bytes`: for progress, of the file as it lies on the disk.
    """

    columns: pa.RecordBatch
    line: pa.Int64Array
    broken: Sequence[Broken]
    raw: Callable[[Sequence[int]], list[str]]
    position: Position
    file_rows: int
    read_bytes: int
    total_bytes: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    done: bool = False
