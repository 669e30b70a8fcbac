"""Organization code (GB 11714-1997): 8 digits or capital letters and a check character, with or without a hyphen before it."""

import re

import numpy as np
import pyarrow as pa

from haitang.base.text import T
from haitang.support.standards.codes.code import NOT_IN, Bytes, Code, Mask, alphabet, by_slices, narrow, of_width, present, weights

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "0X987654321"  # by the sum modulo 11
_SHAPE = re.compile(r"[0-9A-Z]{8}-?[0-9X]", re.ASCII)

SHAPE = T("组织机构代码应为 8 位数字或大写字母加 1 位校验码")
CHECK = T("组织机构代码的校验位不对")


def check_of(first: str) -> str:
    """The check character of the first 8: 11 minus the weighted sum modulo 11, where 10 is X and 11 is 0."""
    return CHECKS[sum(ALPHABET.index(c) * weight for c, weight in zip(first, WEIGHTS, strict=True)) % 11]


def normal(text: str) -> str:
    """Nine characters without the hyphen."""
    return narrow(text).replace("-", "")


def fault(text: str) -> str:
    told = text.upper() if text.isascii() else text
    if not _SHAPE.fullmatch(told):
        return SHAPE
    return "" if check_of(told[:8]) == told[-1] else CHECK


_PLACES = alphabet(ALPHABET)
_SUM = weights(*WEIGHTS, 0)
_CHECK_PLACES = np.array([ALPHABET.index(c) for c in CHECKS], np.int32)


@by_slices
def faulty(column: pa.Array) -> Mask:
    wrong = present(column)
    rows, plain = of_width(column, 9)
    wrong[rows] = ~_sound(plain)
    rows, hyphened = of_width(column, 10)
    wrong[rows] = ~(_sound(np.delete(hyphened, 8, axis=1)) & (hyphened[:, 8] == ord("-")))
    return wrong


def _sound(matrix: Bytes) -> Mask:
    places = _PLACES.take(matrix)
    total = places @ _SUM
    sound: Mask = (total < NOT_IN) & (_CHECK_PLACES[total.astype(np.int32) % 11] == places[:, 8])
    return sound


ORGANIZATION = Code("organization_code", T("组织机构代码"), "GB 11714-1997", fault, faulty, normal)
