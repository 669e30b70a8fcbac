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


def of_width(column: pa.Array, width: int) -> tuple[npt.NDArray[np.intp], Bytes]:
    """Which values are ASCII of exactly `width` characters, and their bytes as a matrix of `width` columns."""
    fits = pc.and_(pc.equal(pc.binary_length(column), width), pc.string_is_ascii(column))
    rows = np.flatnonzero(pc.fill_null(fits, False).to_numpy(zero_copy_only=False))
    chosen = column.take(pa.array(rows))
    if not len(rows):
        return rows, np.empty((0, width), np.uint8)
    offsets = np.frombuffer(chosen.buffers()[1], np.int64)[chosen.offset :]
    data = np.frombuffer(chosen.buffers()[2], np.uint8)[offsets[0] : offsets[0] + len(rows) * width]
    return rows, data.reshape(len(rows), width)


def present(column: pa.Array) -> Mask:
    """Where a value stands."""
    mask: Mask = column.is_valid().to_numpy(zero_copy_only=False)
    return mask


def alphabet(characters: str, *, fold: bool = True) -> npt.NDArray[np.int16]:
    """A table byte -> place in the alphabet, -1 for what is not in it; lower case counts as upper case where `fold`."""
    table = np.full(256, -1, np.int16)
    for place, character in enumerate(characters):
        table[ord(character)] = place
        if fold:
            table[ord(character.lower())] = place
    return table


def matches(column: pa.Array, pattern: str) -> Mask:
    """Which values match a pattern of RE2 from end to end; a missing one does not."""
    found = pc.fill_null(pc.match_substring_regex(column, rf"\A(?:{pattern})\z"), False)
    mask: Mask = found.to_numpy(zero_copy_only=False)
    return mask
