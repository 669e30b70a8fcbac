"""Licence plate of a motor vehicle (GA 36-2018).

Ordinary: province character, letter of the issuing office, five digits or letters without I and O (the last may be 警 学 挂 港 澳 领 超 试).
New energy has six: a small vehicle begins with its letter (A B C D E electric, F G H J K other) and ends in four digits, a large one is five
digits and ends with that letter. Embassies: 使 with six digits, or six digits with 使. Plates of the armed forces and of emergency rescue vehicles are not covered.
"""

import re

import pyarrow as pa

from haitang.base.text import T
from haitang.support.standards.codes.code import Code, Mask, flat, matches, narrow, present

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SERIAL = "A-HJ-NP-Za-hj-np-z0-9"  # both cases by hand: a folding pattern of RE2 lets in the Kelvin sign
_ENERGY = "A-HJKa-hjk"
_DOT = "[·•.]?"  # the round dot that a plate shows after the letter, as people type it
PATTERN = (
    rf"[{PROVINCES}][A-Za-z]{_DOT}(?:"
    rf"[{_SERIAL}]{{4}}[{_SERIAL}警学挂港澳领超试]"
    rf"|[{_ENERGY}][{_SERIAL}][0-9]{{4}}|[0-9]{{5}}[{_ENERGY}])"
    rf"|使{_DOT}[0-9]{{6}}|[0-9]{{6}}使"
)
SHAPE = T("机动车号牌应为省份简称、字母和 5 位（新能源 6 位）数字或字母（不含 I、O）")


def normal(text: str) -> str:
    """Upper case, without the dot."""
    return re.sub("[·•.]", "", narrow(text))


def fault(text: str) -> str:
    return "" if re.fullmatch(PATTERN, text, re.ASCII) else SHAPE


def faulty(column: pa.Array) -> Mask:
    column = flat(column)
    return present(column) & ~matches(column, PATTERN)


def new_energy(text: str) -> bool:
    """Whether a sound plate is one of a new energy vehicle: it has six places after the letter."""
    told = normal(text)
    return not fault(text) and len(told) == 8


PLATE = Code("licence_plate", T("机动车号牌"), "GA 36-2018", fault, faulty, normal)
