"""Whose data it is: the one spelling of an identifier, so that an access and a later search for it meet in the blind index.

Full-width characters, blanks, dashes, dots between names and letter case make no difference. A resident ID of 15 digits is the one of 18 that replaced it
(GB 11643-1999: century 19 and check digit by ISO 7064 MOD 11-2); a mobile number loses its country code 86.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping

from haitang.base.text import T
from haitang.support.security.cryptography import blind
from haitang.support.security.cryptography.suites import SUITES, in_use

_BETWEEN = re.compile(r"[\s\-_.·•・‧∙\u200b-\u200f\ufeff]+")
_COUNTRY = re.compile(r"^\+?(?:00)?86(?=1[0-9]{10}$)")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _plain(value: str) -> str:
    """Until nothing changes any more: what is taken out between two characters may let them join."""
    while (told := unicodedata.normalize("NFKC", _BETWEEN.sub("", unicodedata.normalize("NFKC", value).upper()))) != value:
        value = told
    return value


def _resident_id(value: str) -> str:
    text = _plain(value)
    if len(text) != 15 or not (text.isascii() and text.isdigit()):
        return text
    longer = f"{text[:6]}19{text[6:]}"
    return longer + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(longer, _WEIGHTS, strict=True)) % 11]


def _mobile(value: str) -> str:
    return _COUNTRY.sub("", _plain(value))


KINDS: Mapping[str, str] = {
    "resident_id": T("居民身份证号"),
    "name": T("姓名"),
    "mobile": T("手机号"),
    "uscc": T("统一社会信用代码"),
    "passport": T("护照号"),
    "licence_plate": T("机动车号牌"),
    "person": T("平台人员编号"),
    "other": T("其他标识"),
}
_SPECIAL: Mapping[str, Callable[[str], str]] = {"resident_id": _resident_id, "mobile": _mobile}


def normalized(kind: str, value: str) -> tuple[str, str]:
    """(kind, value) as the blind index takes them; a kind that is not in `KINDS` counts as `other`, so that a search for it can find it."""
    known = kind if kind in KINDS else "other"
    return known, _SPECIAL.get(known, _plain)(value)


def index_of(subjects: Iterable[tuple[str, str]]) -> list[int]:
    """Distinct blind entries of (kind, value) pairs by the suite of the setting, ascending; empty values are nobody's. For a new record."""
    return sorted(set(blind.entries(_wanted(subjects), in_use().hash_name)))


def searched(subjects: Iterable[tuple[str, str]]) -> list[int]:
    """The entries under which (kind, value) pairs may stand: those of every suite, because the setting may have changed since. For a search."""
    wanted = _wanted(subjects)
    return sorted({entry for suite in SUITES.values() for entry in blind.entries(wanted, suite.hash_name)})


def _wanted(subjects: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [pair for pair in {normalized(kind, value) for kind, value in subjects} if pair[1]]
