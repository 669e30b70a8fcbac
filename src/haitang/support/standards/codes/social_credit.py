"""Unified social credit code (GB 32100-2015): 1 registering body, 1 kind, 6 division, 9 organization code, 1 check character.

Alphabet, digits of the division and check are judged. Which bodies and kinds exist is not: the list grows (N and Y codes are real, and
libraries that ask for digits in the first two places reject them). The check of the organization code inside is not judged either.
"""

import re

import numpy as np
import pyarrow as pa

from haitang.base.text import T
from haitang.support.standards.codes.code import NOT_IN, Code, Mask, alphabet, are_digits, by_slices, of_width, present, weights

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_SHAPE = re.compile(rf"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}", re.ASCII)

SHAPE = T("统一社会信用代码应为 18 位数字和大写字母（不含 I、O、S、V、Z），第 3 至 8 位为数字")
CHECK = T("统一社会信用代码的校验位不对")


def check_of(first: str) -> str:
    """The check character of the first 17."""
    return ALPHABET[-sum(ALPHABET.index(c) * weight for c, weight in zip(first, WEIGHTS, strict=True)) % 31]


def fault(text: str) -> str:
    told = text.upper() if text.isascii() else text
    if not _SHAPE.fullmatch(told):
        return SHAPE
    return "" if check_of(told[:17]) == told[17] else CHECK


_PLACES = alphabet(ALPHABET)
_SUM = weights(*WEIGHTS, 0)


@by_slices
def faulty(column: pa.Array) -> Mask:
    wrong = present(column)
    rows, matrix = of_width(column, 18)
    places = _PLACES.take(matrix)
    total = places @ _SUM
    wrong[rows] = ~(are_digits(matrix[:, 2:8]) & (total < NOT_IN) & (-total.astype(np.int32) % 31 == places[:, 17]))
    return wrong


SOCIAL_CREDIT = Code("uscc", T("统一社会信用代码"), "GB 32100-2015", fault, faulty)
