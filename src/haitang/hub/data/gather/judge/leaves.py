"""Leaves of evidence blocks of whole columns: the same bytes as `catalogue.tables.canonical`, which the writer and the verifier make row by row.

DuckDB says how it writes what is no text; texts are put between quotes as they are, and only those with a character that JSON escapes go through DuckDB. Joining
columns takes half of what making an object of each row does.
"""

import hashlib
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haitang.hub.data.gather.judge.cells import bytes_of, odd

WRITTEN = "written__"  # before the name of a column: how DuckDB writes its values
_AS_CAST = ("bigint", "boolean", "decimal")  # JSON writes them as their text


def written(column: str, type: str) -> str:
    """SQL of how the values of a column are written: of a date between the quotes, of others as JSON."""
    return f'"{column}"::varchar' if type == "date" or type.startswith(_AS_CAST) else f'to_json("{column}")::varchar'


def texts(connection: Any, rows: Any, columns: Mapping[str, str]) -> Any:
    """What the leaf of each row of an Arrow table is made of: 0x00 and its canonical text. `columns`: name -> DuckDB type; those without a `written__` one are
    texts."""
    pieces: list[Any] = []
    between = "\0{"
    for place, (name, type) in enumerate(sorted(columns.items())):
        between += f'{"," if place else ""}"{name}":'
        is_text = WRITTEN + name not in rows.column_names
        told = _escaped(connection, rows[name]) if is_text else rows[WRITTEN + name]
        quote = '"' if is_text or type == "date" else ""
        if quote and told.null_count:
            told, quote = pc.binary_join_element_wise(quote, told, quote, ""), ""
        pieces += [between + quote, pc.fill_null(told, "null") if told.null_count else told]
        between = quote
    return pc.binary_join_element_wise(*pieces, between + "}", "")


def _escaped(connection: Any, column: Any) -> Any:
    """Texts as they stand between the quotes of JSON."""
    told = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    rows = odd(told, (), lambda text: (text >= ord(" ")) & (text != ord('"')) & (text != ord("\\")))
    if not len(rows):
        return told
    mask = np.zeros(len(told), bool)
    mask[rows] = True
    connection.register("unescaped", pa.table({"v": told.take(pa.array(rows))}))
    json = connection.execute("select to_json(v)::varchar as v from unescaped").to_arrow_table()["v"].combine_chunks()
    connection.unregister("unescaped")
    return pc.replace_with_mask(told, pa.array(mask), pc.utf8_slice_codeunits(json, 1, stop=-1).cast(told.type))


def hashed(column: Any) -> list[bytes]:
    """SHA-256 of each text of a column, taken from Arrow's own memory."""
    found: list[bytes] = []
    of = hashlib.sha256
    for chunk in column.chunks:
        data, ends = bytes_of(chunk)
        text = memoryview(data)
        found += [of(text[start:end]).digest() for start, end in pairwise(ends.tolist())]
    return found
