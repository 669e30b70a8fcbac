"""Leaves of evidence blocks of whole columns: the same bytes as `catalogue.tables.canonical`, which the writer and the verifier make row by row.

Arrow's writer of CSV makes them: a third of what joining columns takes. Where one ends is told by the lengths of its values.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from haitang.hub.data.catalogue.tables import mark_of
from haitang.hub.data.gather.judge.cells import bytes_of, times, used_of
from haitang.support.security.evidence.merkle import LEAF

WRITTEN = "written__"  # before the name of a column: its values as text
_OPTIONS = arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid", batch_size=4096)


def texts(rows: Any, columns: Iterable[str]) -> Any:
    """What the leaf of each row of an Arrow table is made of: 0x00 and its canonical text. A column without a `written__` one is text itself."""
    names = sorted(columns)
    told = {name: rows[name if WRITTEN + name not in rows.column_names else WRITTEN + name] for name in names}
    lines = pa.table({"mark": pa.repeat(mark_of(names), len(rows)), **told})
    ends = _ends(lines)
    text = np.empty(int(ends[-1]) + 1, np.uint8)
    arrow_csv.write_csv(lines, pa.FixedSizeBufferWriter(pa.py_buffer(text[1:])), _OPTIONS)
    text[ends] = LEAF[0]  # in the place of what ends the line before
    return pa.Array.from_buffers(pa.binary(), len(rows), [None, pa.py_buffer(ends), pa.py_buffer(text)])


def _ends(lines: Any) -> npt.NDArray[np.int32]:
    """Where each line ends, counted from where the first begins: behind each of its values stand a comma or the end of the line."""
    lengths = np.full(len(lines), lines.num_columns, np.int32)
    for column in lines.columns:
        at = 0
        for chunk in column.chunks:
            lengths[at : at + len(chunk)] += _quoted(chunk)
            at += len(chunk)
    ends = np.zeros(len(lines) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    return ends


def _quoted(column: Any) -> Any:
    """The length of each value in quotes, those in it doubled; of an absent one, 0."""
    found = np.diff(bytes_of(column)[1]) + 2
    if times(used_of(column), ord('"')):
        found += pc.fill_null(pc.count_substring(column, '"'), 0).to_numpy()
    if column.null_count:
        found[~column.is_valid().to_numpy(zero_copy_only=False)] = 0
    return found
