"""Mobile number in mainland China: 11 digits beginning with 13 to 19, with or without +86. Which segments are in use is not judged: they change."""

import re

import pyarrow as pa

from haitang.base.text import T
from haitang.support.standards.codes.code import Code, Mask, flat, matches, narrow, present

PATTERN = r"(?:(?:\+|00)?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{4}){2}"
SHAPE = T("手机号码应为 11 位数字，以 13 至 19 开头")


def normal(text: str) -> str:
    """The 11 digits, without country code, spaces and hyphens."""
    digits = narrow(text).replace("-", "")
    return re.sub(r"\A(?:\+|00)?86(?=1[3-9][0-9]{9}\Z)", "", digits)


def fault(text: str) -> str:
    return "" if re.fullmatch(PATTERN, text, re.ASCII) else SHAPE


def faulty(column: pa.Array) -> Mask:
    column = flat(column)
    return present(column) & ~matches(column, PATTERN)


MOBILE = Code("mobile", T("手机号码"), "YD/T 1093; E.164", fault, faulty, normal)
