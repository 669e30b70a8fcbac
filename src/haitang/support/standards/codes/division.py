"""Division code: 6 digits (GB/T 2260), 9 a town, 12 a village (GB/T 10114).

The structure is judged: the province exists, a city lies in a province, town and village numbers lie in the ranges of the standard. Whether a
division exists today is not: see `divisions.successor` for those merged or renamed, and the place's own divisions for those of the place.
"""

import re

import pyarrow as pa

from haitang.base.text import T
from haitang.support.standards.codes.code import Code, Mask, flat, matches, present

# 1x north, 2x north-east, 3x east, 4x south, 5x south-west, 6x north-west, 71 Taiwan, 81 Hong Kong, 82 Macau.
_PROVINCE = r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82)"
_COUNTY = rf"(?:{_PROVINCE}(?:0000|(?:0[1-9]|[1-9][0-9])[0-9]{{2}}))"
_TOWN = r"(?:00[1-9]|0[1-9][0-9]|[1-5][0-9]{2})"  # 001-099 streets, 100-199 towns, 200-399 townships, 400-599 quasi
_VILLAGE = r"(?:000|00[1-9]|0[1-9][0-9]|[1-3][0-9]{2}|[45]98)"  # 001-199 residents', 200-399 village committees, 498 and 598 virtual
PATTERN = rf"{_COUNTY}(?:000(?:000)?|{_TOWN}(?:{_VILLAGE})?)?"
SHAPE = T("行政区划代码应为 6 位（县级）、9 位（乡级）或 12 位（村级）数字，且各段在标准范围内")


def fault(text: str) -> str:
    return "" if re.fullmatch(PATTERN, text, re.ASCII) else SHAPE


def faulty(column: pa.Array) -> Mask:
    column = flat(column)
    return present(column) & ~matches(column, PATTERN)


DIVISION = Code("division", T("行政区划代码"), "GB/T 2260; GB/T 10114", fault, faulty)
