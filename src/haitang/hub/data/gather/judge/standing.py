"""Which cells stand as their value would be written again, and what their values are. Most do, and DuckDB need neither cast nor write them nor look at them more closely."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.catalogue.tables import decimal_digits
from haitang.hub.data.gather.judge.cells import bytes_of, of_length
from haitang.support.standards.days import are_days

TYPES = frozenset({"integer", "decimal", "date"})
STANDS, VALUE = "c__", "v__"  # before the name of a field: the mask, and the values, as columns
OTHERWISE = "_otherwise"  # a column: some cell of the row does not stand so
_LONGEST = 15  # characters of a number: then it fits the column's type whatever its digits are
_ZERO, _POINT, _DASH = np.frombuffer(b"0.-", np.uint8)
Mask = npt.NDArray[np.bool_]


def stands(column: Any, declared: ResourceField) -> Mask:
    """A mask over an Arrow array of trimmed text of a field of one of TYPES. It may leave out some that do; where it is true, the text has a value, which DuckDB writes with
    the same characters."""
    if not len(bytes_of(column)[0]):
        return np.zeros(len(column), bool)
    if declared.type == "date":
        return _date(column)
    found = _number(*bytes_of(column), declared.digits if declared.type == "decimal" else 0)
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
    sound &= are_days(_number_of(text, 0, 1, 2, 3), _number_of(text, 5, 6, 8, 9))
    found[found] = sound
    return found


def _number_of(text: Any, *places: int) -> Any:
    found = np.zeros(text.shape[1], np.int16)
    for place in places:
        found *= 10
        found += text[place] - _ZERO
    return found


def values(column: Any, mask: Mask, declared: ResourceField) -> Any:
    """The values, in the type of the field's column, of the cells of such a mask; null for the others."""
    data, offsets = bytes_of(column)
    valid = pa.array(mask).buffers()[1]
    standing = pa.Array.from_buffers(pa.string(), len(column), [valid, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)])
    match declared.type:
        case "integer":
            return standing.cast(pa.int64())
        case "date":
            return standing.cast(pa.date32())
        case _:
            return _decimals(standing, valid, declared)


def _decimals(standing: Any, valid: Any, declared: ResourceField) -> Any:
    """Whole numbers of the last decimal: with so few digits, a double tells each of them from the next."""
    told = pc.fill_null(standing.cast(pa.float64()), 0.0).to_numpy()
    whole = np.zeros((len(told), 2), np.int64)  # of 128 bits, the lower half first
    whole[:, 0] = np.rint(told * 10.0**declared.digits)
    type = pa.decimal128(decimal_digits(declared), declared.digits)
    return pa.Array.from_buffers(type, len(told), [valid, pa.py_buffer(whole)])
