"""Arrow tables as JSON, whole columns at once: an answer of some thousand readings spends its time on nothing else.

No value becomes an object of Python unless it is the first of its kind: texts and instants repeat, and numbers are written by Arrow as short as they can be read back.
"""

from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc


def columns(table: Any, /, **before: str) -> bytes:
    """JSON (RFC 8259) of an object: `before`, then each column of an Arrow table as an array.

    Instants are ISO 8601 texts in UTC, with microseconds where there are any; what is no number (NaN, infinity) is null.
    """
    members = [(name, msgspec.json.encode(value)) for name, value in before.items()]
    members += [(name, _array(column)) for name, column in zip(table.column_names, table.columns, strict=True)]
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + value for name, value in members) + b"}"


def _array(column: Any) -> bytes:
    type = column.type
    if pa.types.is_floating(type):
        texts = pc.if_else(pc.is_finite(column), column, None).cast(pa.string())
    elif pa.types.is_integer(type):
        texts = column.cast(pa.string())
    elif pa.types.is_timestamp(type) or pa.types.is_string(type):
        texts = _distinct(column)
    else:
        return msgspec.json.encode(column.to_pylist())
    return b"[" + _joined(texts) + b"]"


def _joined(texts: Any) -> bytes:
    """The texts with commas between them; `null` where there is none."""
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    one = pa.ListArray.from_arrays(pa.array([0, len(whole)], pa.int32()), whole.fill_null("null"))
    return pc.binary_join(one, ",")[0].as_buffer().to_pybytes()  # type: ignore[no-any-return]


def _distinct(column: Any) -> Any:
    """Each distinct text or instant is written once: the readings of a thing share theirs."""
    found = column.combine_chunks()
    found = (found.cast(pa.timestamp("us")) if pa.types.is_timestamp(found.type) else found).dictionary_encode()
    values = found.dictionary
    texts = _iso(values) if pa.types.is_timestamp(values.type) else values
    return pa.array([msgspec.json.encode(text).decode() for text in texts.to_pylist()], pa.string()).take(found.indices)


def _iso(instants: Any) -> Any:
    seconds = instants.cast(pa.timestamp("s"), safe=False)
    whole = pc.equal(seconds.cast(pa.timestamp("us")), instants)
    texts = seconds.cast(pa.string())  # a fifth of what strftime takes
    if whole.true_count < len(instants):
        texts = pc.if_else(whole, texts, instants.cast(pa.string()))
    return pc.binary_join_element_wise(pc.binary_replace_slice(texts, 10, 11, "T"), "Z", "")
