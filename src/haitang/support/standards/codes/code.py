"""What every code has: a title, a normal form, the fault of one text, the faulty ones of a column."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.float32]

# Full-width ASCII and the ideographic space, as input methods leave them in codes.
_NARROW = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}
_GAPS = re.compile(r"\s+")


def narrow(text: str) -> str:
    """Upper case, half-width, without white space: the form in which codes are stored and compared."""
    return _GAPS.sub("", text.translate(_NARROW)).upper()


@dataclass(frozen=True)
class Code:
    """One code. `faulty` takes an Arrow column of text (chunked or not) and gives a mask as long as it."""

    name: str
    title: str
    source: str
    fault: Callable[[str], str]
    faulty: Callable[[pa.Array], Mask]
    normal: Callable[[str], str] = narrow


def flat(column: pa.Array) -> pa.Array:
    """One array of large text out of an array or a chunked array."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.cast(pa.large_string())


AT_ONCE = 1 << 14  # values whose matrices stay in the processor's cache


def by_slices(faulty: Callable[[pa.Array], Mask]) -> Callable[[pa.Array], Mask]:
    """`faulty` of a long column, asked slice by slice, which takes half the time."""

    def asked(column: pa.Array) -> Mask:
        column = flat(column)
        return np.concatenate([faulty(column.slice(first, AT_ONCE)) for first in range(0, len(column) or 1, AT_ONCE)])

    return asked


def of_width(column: pa.Array, width: int) -> tuple[npt.NDArray[np.intp], Bytes]:
    """Which values are ASCII of exactly `width` characters, and their bytes as a matrix of `width` columns. Where all are, nothing is copied."""
    fits = np.diff(_offsets(column)) == width
    if column.null_count:
        fits &= present(column)
    rows = np.flatnonzero(fits)
    matrix = _matrix(column if len(rows) == len(column) else column.take(pa.array(rows)), width)
    if (high := matrix >= 128).any():
        ascii = ~high.any(axis=1)
        return rows[ascii], matrix[ascii]
    return rows, matrix


def _offsets(column: pa.Array) -> npt.NDArray[np.int64]:
    return np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]


def _matrix(column: pa.Array, width: int) -> Bytes:
    """The bytes of values that are all `width` long."""
    if not len(column):
        return np.empty((0, width), np.uint8)
    offsets = _offsets(column)
    return np.frombuffer(column.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].reshape(len(column), width)


def present(column: pa.Array) -> Mask:
    """Where a value stands."""
    mask: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    return mask


NOT_IN = 1 << 16  # as a place in an alphabet; more than any weighted sum of places that are


def alphabet(characters: str, *, fold: bool = True) -> Places:
    """A table byte -> place in the alphabet, NOT_IN for what is not in it; lower case counts as upper case where `fold`.

    Places are floats, exact in sums up to 2^24, because NumPy multiplies matrices of floats many times faster than of whole numbers.
    """
    table = np.full(256, NOT_IN, np.float32)
    for place, character in enumerate(characters):
        table[ord(character)] = place
        if fold:
            table[ord(character.lower())] = place
    return table


def weights(*each: int) -> Places:
    """A vector that a matrix of places is multiplied with; one, not a matrix of several, because BLAS would wake all processors for that."""
    return np.array(each, np.float32)


def are_digits(matrix: Bytes) -> Mask:
    """Which rows are made of digits only; column by column, since rows are short."""
    most = matrix[:, 0] - np.uint8(ord("0"))
    for column in matrix.T[1:]:
        np.maximum(most, column - np.uint8(ord("0")), out=most)
    mask: Mask = most < 10
    return mask


def matches(column: pa.Array, pattern: str) -> Mask:
    """Which values match a pattern of RE2 from end to end; a missing one does not."""
    found = pc.fill_null(pc.match_substring_regex(column, rf"\A(?:{pattern})\z"), False)
    mask: Mask = found.to_numpy(zero_copy_only=False)
    return mask
