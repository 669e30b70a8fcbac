"""Columns of standard codes and of points, prepared before SQL sees them: codes in their normal form with a mask of faulty ones, points in CGCS2000."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.gather.judge.cells import odd, trimmed
from haitang.support.standards import coordinates
from haitang.support.standards.codes import CODES, Code

# A code of these lengths that is made of digits and capital letters is in its normal form already, or has none.
_LENGTHS = {"resident_id": (18,), "uscc": (18,), "organization_code": (9,), "division": (6, 9, 12), "mobile": (11,)}
_PLATE = "^[^ -@\\[-~·•　\uff00-\uffef][A-Z][0-9A-Z]{5,6}$"
_FEW = frozenset({"division"})  # types of which a file has few values
Locate = Callable[[Any, Any], Any]


def code_of(type: str) -> Code | None:
    """The standard code that a field type is."""
    return CODES.get(type)


def normal(column: Any, type: str, code: Code) -> Any:
    """A column of codes in their normal form; only what may not be so already is touched."""
    rows = _otherwise(column, type)
    if not len(rows):
        return column
    odd = np.zeros(len(column), bool)
    odd[rows] = True
    changed = [code.normal(text) for text in column.take(pa.array(rows)).to_pylist()]
    return pc.replace_with_mask(column, pa.array(odd), pa.array(changed, column.type))


def _otherwise(column: Any, type: str) -> Any:
    """Rows that may be written otherwise than in the normal form."""
    if type in _LENGTHS:
        return odd(column, _LENGTHS[type], lambda text: (text - ord("0") < 10) | (text - ord("A") < 26))
    plate = pc.fill_null(pc.invert(pc.match_substring_regex(column, _PLATE)), False)
    return np.flatnonzero(plate.to_numpy(zero_copy_only=False))


def prepared_code(name: str, field: ResourceField, column: Any, code: Code) -> dict[str, Any]:
    """`t__<field>`: normal form or null; `m__<field>`: faulty."""
    text = trimmed(column, field.missing)
    if field.type in _FEW:
        return _prepared_once(name, field, text, code)
    told = normal(text, field.type, code)
    return {f"t__{name}": told, f"m__{name}": pa.array(code.faulty(told))}


def _prepared_once(name: str, field: ResourceField, text: Any, code: Code) -> dict[str, Any]:
    """The same for a column in which each text stands many times: each is looked at once."""
    encoded = text.dictionary_encode()
    each = normal(encoded.dictionary, field.type, code)
    faulty = pa.array(code.faulty(each)).take(encoded.indices)
    return {f"t__{name}": text if each is encoded.dictionary else each.take(encoded.indices), f"m__{name}": pc.fill_null(faulty, False)}


@dataclass(frozen=True)
class Points:
    """Points of one chunk: degrees in CGCS2000, NaN where they cannot be; `faulty` where something stands that is no point in China."""

    longitude: Any
    latitude: Any
    faulty: Any


# China with its seas, generous: what is outside is a mistake of column order, unit or system.
_WEST, _EAST, _SOUTH, _NORTH = 73.0, 136.0, 3.0, 54.0


def points(longitude: Any, latitude: Any, system: str) -> Points:
    """Points out of two text columns (trimmed)."""
    lng, lat = _degrees(longitude), _degrees(latitude)
    stands = pc.or_(pc.is_valid(longitude), pc.is_valid(latitude)).to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        inside = (lng >= _WEST) & (lng <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)
    lng, lat = np.where(inside, lng, np.nan), np.where(inside, lat, np.nan)
    if inside.any() and system not in ("cgcs2000", "wgs84"):
        there = np.flatnonzero(inside)
        lng[there], lat[there] = coordinates.convert(lng[there], lat[there], system, "cgcs2000")
    return Points(lng, lat, stands & ~inside)


def _degrees(column: Any) -> Any:
    number = pc.match_substring_regex(column, r"^[+-]?[0-9]{1,3}(\.[0-9]+)?°?$")
    plain = pc.utf8_rtrim(column, "°")
    return pc.if_else(number, plain, pa.scalar(None, plain.type)).cast(pa.float64()).to_numpy(zero_copy_only=False)


def halves(column: Any) -> tuple[Any, Any]:
    """`105.72,29.70` as two columns."""
    parts = pc.split_pattern_regex(pc.utf8_trim(column, "()（）[] "), r"[,，;\s]+", max_splits=1)
    first, second = pc.list_element(parts, 0), pc.if_else(pc.equal(pc.list_value_length(parts), 2), parts, pa.scalar(None, parts.type))
    return first, pc.list_element(second, 1)


def prepared_point(name: str, field: ResourceField, cells: list[Any], locate: Locate) -> dict[str, Any]:
    """`t__<field>`, `m__<field>` and the three columns of a point."""
    texts = [trimmed(cell, field.missing) for cell in cells]
    longitude, latitude = texts if len(texts) == 2 else halves(texts[0])
    found = points(longitude, latitude, field.system)
    text = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, ",", null_handling="skip")
    divisions = pa.array(locate(found.longitude, found.latitude), pa.string())
    empty = pc.equal(divisions, "")
    return {
        f"t__{name}": text if len(texts) == 1 else pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text),
        f"m__{name}": pa.array(found.faulty),
        f"{name}_longitude": pa.array(found.longitude, from_pandas=True),
        f"{name}_latitude": pa.array(found.latitude, from_pandas=True),
        f"{name}_division": pc.if_else(empty, pa.scalar(None, pa.string()), divisions),
    }
