"""Which cells stand as their value would be written again. Most do, and need neither be written nor be looked at more closely."""

from typing import Any

import numpy as np
import numpy.typing as npt

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.gather.judge.cells import bytes_of, of_length

TYPES = frozenset({"integer", "decimal", "date"})
STANDS = "c__"  # before the name of a field: the mask as a column
_LONGEST = 15  # characters of a number: then it fits the column's type whatever its digits are
_ZERO, _POINT, _DASH = np.frombuffer(b"0.-", np.uint8)
Mask = npt.NDArray[np.bool_]


def stands(column: Any, declared: ResourceField) -> Mask:
    """A mask over an Arrow array of trimmed text of a field of one of TYPES. It may leave out some that do; where it is true, DuckDB writes the value with the same
    characters, if the text has one at all (a date may not be in the calendar)."""
    if not len(bytes_of(column)[0]):
        return np.zeros(len(column), bool)
    found = _date(column) if declared.type == "date" else _number(*bytes_of(column), declared.digits if declared.type == "decimal" else 0)
    if column.null_count:
        found &= column.is_valid().to_numpy(zero_copy_only=False)
    return found


def _number(data: Any, offsets: Any, decimals: int) -> Mask:
    """Digits without a zero before them, then the point and as many decimals as the type has."""
    starts, ends = offsets[:-1], offsets[1:]
    others = np.concatenate([[0], np.cumsum(data[offsets[0] : offsets[-1]] - _ZERO > 9, dtype=np.int32)])
    count = others[ends - offsets[0]] - others[starts - offsets[0]]
    length = ends - starts
    whole = length - decimals - 1 if decimals else length
    found: Mask = (count == (1 if decimals else 0)) & (whole >= 1) & (length <= _LONGEST)
    if decimals:
        found &= data[np.maximum(ends - 1 - decimals, 0)] == _POINT
    found &= (data[np.minimum(starts, len(data) - 1)] != _ZERO) | (whole == 1)
    return found


def _date(column: Any) -> Mask:
    """2026-03-01."""
    found: Mask
    found, text = of_length(column, 10)
    sound = (text[4] == _DASH) & (text[7] == _DASH) & (text[0] != _ZERO)
    for place in (0, 1, 2, 3, 5, 6, 8, 9):
        sound &= text[place] - _ZERO < 10
    found[found] = sound
    return found
