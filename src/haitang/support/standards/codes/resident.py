"""Resident identity number (GB 11643-1999): 6 division, 8 birth date, 3 serial, 1 check character.

Format, date and check are judged, never the division: a number keeps the county of its first issue, and counties are merged and renamed, so that a
list of today's counties rejects most adults of a merged one. `divisions.successor` resolves the place. Residence permits of Hong Kong, Macau and
Taiwan residents (81, 82, 83) and the 9-prefixed permanent residence numbers of foreigners carry the same check (the latter two are uncertain in
detail). Numbers of 15 digits, issued before 1999, carry no check and are accepted; their normal form has 18.
"""

import re
from datetime import date

import numpy as np
import pyarrow as pa

from haitang.base.clock import CHINA, now
from haitang.base.text import T
from haitang.support.standards.codes.code import NOT_IN, Bytes, Code, Mask, Places, alphabet, by_slices, narrow, of_width, present, weights
from haitang.support.standards.days import are_days

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9Xx]|[1-9][0-9]{14}", re.ASCII)
_EARLIEST = 1850  # the standard's own example is of 1880

SHAPE = T("身份证号码应为 18 位：17 位数字，末位为数字或 X（旧号码为 15 位数字）")
DATE = T("身份证号码中的出生日期不是有效日期")
CHECK = T("身份证号码的校验位不对")


def check_of(first: str) -> str:
    """The check character of the first 17 digits."""
    return CHECKS[sum(int(digit) * weight for digit, weight in zip(first, WEIGHTS, strict=True)) % 11]


def normal(text: str) -> str:
    """18 characters with an upper-case X; 15 digits get the century and the check."""
    told = narrow(text)
    if re.fullmatch(r"[1-9][0-9]{14}", told, re.ASCII):
        first = told[:6] + "19" + told[6:]
        return first + check_of(first)
    return told


def fault(text: str) -> str:
    if not _SHAPE.fullmatch(text):
        return SHAPE
    whole = normal(text)
    if not _is_date(whole[6:14]):
        return DATE
    return "" if check_of(whole[:17]) == whole[17] else CHECK


def _is_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born.year >= _EARLIEST and born <= now().astimezone(CHINA).date()


_DIGITS = alphabet("0123456789")
_DIGITS_X = alphabet("0123456789X")
_SUM, _SUM_OLD = weights(*WEIGHTS, 0), weights(*[1] * 15)
_YEAR, _DAY = (
    weights(*[0] * 6, 1000, 100, 10, 1, *[0] * 8),
    weights(*[0] * 10, 1000, 100, 10, 1, *[0] * 4),
)  # the day with its month before it
_YEAR_OLD, _DAY_OLD = weights(*[0] * 6, 10, 1, *[0] * 7), weights(*[0] * 8, 1000, 100, 10, 1, *[0] * 3)
_CHECK_VALUES = np.array(["0123456789X".index(c) for c in CHECKS], np.int32)


@by_slices
def faulty(column: pa.Array) -> Mask:
    wrong = present(column)
    rows, long = of_width(column, 18)
    wrong[rows] = ~_sound(long)
    rows, short = of_width(column, 15)
    wrong[rows] = ~_sound_old(short)
    return wrong


def _sound(matrix: Bytes) -> Mask:
    digits = _DIGITS.take(matrix)
    total = digits @ _SUM
    check = _CHECK_VALUES[total.astype(np.int32) % 11] == _DIGITS_X.take(matrix[:, 17])
    sound: Mask = _begins(digits, total) & check & _dates(digits @ _YEAR, digits @ _DAY)
    return sound


def _sound_old(matrix: Bytes) -> Mask:
    digits = _DIGITS.take(matrix)
    sound: Mask = _begins(digits, digits @ _SUM_OLD) & _dates(1900 + digits @ _YEAR_OLD, digits @ _DAY_OLD)
    return sound


def _begins(digits: Places, total: Places) -> Mask:
    """All of what was summed are digits, and the first is not 0."""
    sound: Mask = (total < NOT_IN) & (digits[:, 0] > 0)
    return sound


def _dates(*date: Places) -> Mask:
    """Which are a day between the earliest and today; what is no number counts as nothing here."""
    year, day = (np.minimum(part, 9999).astype(np.int32) for part in date)
    today = now().astimezone(CHINA).date()
    sound: Mask = are_days(year, day) & (year >= _EARLIEST) & (year * 10000 + day <= int(f"{today:%Y%m%d}"))
    return sound


RESIDENT_ID = Code("resident_id", T("居民身份证号码"), "GB 11643-1999", fault, faulty, normal)
