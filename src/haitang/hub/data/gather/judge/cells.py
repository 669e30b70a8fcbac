"""The text of cells, without the white space around it. Only what begins or ends like white space is touched: most cells do not."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SPACE = " \t\r\n\u3000\u00a0\ufeff"
_SLICE = 1 << 18  # bytes
_MOST_BEGIN, _MOST_END = np.zeros(256, bool), np.zeros(256, bool)
_MOST_BEGIN[[*range(33), 0xC2, 0xE3, 0xEF]] = True  # ASCII white space, or the first byte of another one in UTF-8
_MOST_END[[*range(33), 0x80, 0xA0, 0xBF]] = True


def trimmed(column: Any, missing: list[str]) -> Any:
    """An Arrow array of text: trimmed, null where nothing is left or the text is one of `missing`."""
    rows = _suspects(column)
    if len(rows):
        mask = np.zeros(len(column), bool)
        mask[rows] = True
        column = pc.replace_with_mask(column, pa.array(mask), pc.utf8_trim(column.take(pa.array(rows)), SPACE))
    empty = pc.equal(pc.binary_length(column), 0)
    if missing:
        empty = pc.or_(empty, pc.is_in(column, pa.array(missing, column.type)))
    return pc.if_else(pc.fill_null(empty, True), pa.scalar(None, column.type), column) if pc.any(empty).as_py() else column


def bytes_of(column: Any) -> tuple[Any, Any]:
    """The bytes of an Arrow array of text, and where each of its values begins in them, with the end of the last."""
    _, ends, data = column.buffers()
    if data is None or not len(column):
        return np.empty(0, np.uint8), np.zeros(len(column) + 1, np.int64)
    width = np.int32 if column.type == pa.string() else np.int64
    offsets: Any = np.frombuffer(ends, width)[column.offset : column.offset + len(column) + 1]
    return np.frombuffer(data, np.uint8), offsets


def used_of(column: Any) -> Any:
    """The bytes of all its values."""
    data, offsets = bytes_of(column)
    return data[offsets[0] : offsets[-1]]


def times(data: Any, byte: int) -> int:
    """How many times a byte stands in an array of bytes. As `bytes.count` does, which goes from one to the next, and keeps other threads waiting meanwhile; in slices that stay
    in the cache."""
    return sum(int(np.count_nonzero(data[at : at + _SLICE] == byte)) for at in range(0, len(data), _SLICE))


def of_length(column: Any, length: int) -> tuple[Any, Any]:
    """A mask of the values that have so many bytes, and these as a matrix with a row for each place."""
    _, offsets = bytes_of(column)
    mask = np.diff(offsets) == length
    if column.null_count:
        mask &= column.is_valid().to_numpy(zero_copy_only=False)
    if length * np.count_nonzero(mask) != offsets[-1] - offsets[0]:  # else the others are empty: the bytes lie in a row, so many by so many
        column = column.filter(pa.array(mask))
    return mask, used_of(column).reshape(-1, length).T


def odd(column: Any, lengths: Sequence[int], plain: Callable[[Any], Any]) -> Any:
    """Rows with a text that has none of these lengths (none given: any will do), or a byte that is not plain."""
    _, offsets = bytes_of(column)
    found = np.searchsorted(offsets, np.flatnonzero(~plain(used_of(column))) + offsets[0], "right") - 1
    if lengths:
        given = np.diff(offsets)
        fits = given == lengths[0]
        for length in lengths[1:]:
            fits |= given == length
        found = np.concatenate([found, np.flatnonzero(~fits)])
    found = np.unique(found)
    return found[column.is_valid().to_numpy(zero_copy_only=False)[found]] if column.null_count else found


def _suspects(column: Any) -> Any:
    """Rows whose first or last byte may be of white space."""
    text, offsets = bytes_of(column)
    used = used_of(column)
    if not len(used) or (used.min() > ord(" ") and used.max() < 128):  # most columns, and quicker said of all bytes than of some
        return np.empty(0, np.intp)
    filled = np.flatnonzero(offsets[1:] > offsets[:-1])
    return filled[_MOST_BEGIN[text[offsets[:-1][filled]]] | _MOST_END[text[offsets[1:][filled] - 1]]]
