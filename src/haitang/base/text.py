"""The one text catalogue: zh-Hans text -> English, for templates, declarations and errors (ADR 0003).

Each room, application and place keeps its English in `locale/en.yaml`, a plain mapping of the Chinese text to the English. Whoever shows text to a
person calls `translate` (templates: `{% load haitang %}{% t "案件" %}`); the text itself is the key, so that source stays readable.
"""

import re
import string
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import haitang
from haitang.base.errors import HaitangError

CHINESE = "zh-hans"
ENGLISH = "en"

# English that counts is written `{n} day(s)` in a catalogue and shown as `1 day`, `2 days`.
_COUNTED = re.compile(r"\b(\d+) ((?:[a-z]+ )?[a-z]+)\(s\)")

_declared: dict[str, str] = {}


def T(text: str) -> str:
    """Mark a zh-Hans text in Python that is translated later, where it is shown."""
    return text


class Saying(str):
    """A zh-Hans text whose `{name}` places are filled, which still knows both: `said` gives it in the reader's language.

    For what is put together long before it is shown, such as the reason within an error.
    """

    says: str
    values: Mapping[str, Any]

    def __new__(cls, says: str, /, **values: Any) -> "Saying":
        made = super().__new__(cls, fill(says, values) if values else says)
        made.says, made.values = says, values
        return made


@lru_cache(maxsize=64)
def read_catalogue(text: str) -> Mapping[str, str]:
    """The content of one `locale/en.yaml`; whatever is not text -> text is left out (the check reports it)."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, str)}


@cache
def _of_rooms() -> Mapping[str, str]:
    """English of every room of the platform, read once."""
    merged: dict[str, str] = {}
    root = Path(haitang.__file__).parent
    for file in sorted(root.rglob("locale/en.yaml")):
        if root / "applications" not in file.parents and "skeletons" not in file.parts:
            merged.update(read_catalogue(file.read_text("utf-8")))
    return merged


def put_catalogue(texts: Mapping[str, str]) -> None:
    """Set the English of the applications and the place of the release in force."""
    global _declared
    _declared = dict(texts)


def reload_catalogues() -> None:
    """Read the rooms' catalogues again (development)."""
    _of_rooms.cache_clear()


def english(text: str) -> str | None:
    """The English of a text, or None where a catalogue lacks it. The place may word it differently, so declarations come first."""
    return _declared.get(text) or _of_rooms().get(text)


def active_language() -> str:
    """The reader's language: what Django activated for this request, else zh-hans."""
    from django.core.exceptions import ImproperlyConfigured
    from django.utils.translation import get_language

    try:
        return get_language() or CHINESE
    except ImproperlyConfigured:
        return CHINESE


class _Formatter(string.Formatter):
    """Fills `{name}` and leaves what it does not know as it stands: a text never breaks a page."""

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        return kwargs.get(str(key), "{" + str(key) + "}")


def fill(text: str, variables: Mapping[str, Any]) -> str:
    """`fill("共 {n} 条", {"n": 3})` -> 共 3 条."""
    try:
        return _Formatter().vformat(text, (), variables)
    except (ValueError, KeyError, IndexError, AttributeError):
        return text


def translate(text: str, /, language: str | None = None, **variables: Any) -> str:
    """The text in `language` (default: the reader's), with `{name}` places filled; Chinese where English is missing."""
    wanted = language or active_language()
    if wanted.startswith(ENGLISH):
        text = english(text) or text
    filled = fill(text, variables) if variables else text
    return _COUNTED.sub(_counted, filled) if "(s)" in filled else filled


def _counted(found: re.Match[str]) -> str:
    return f"{found[1]} {found[2]}" + ("" if found[1] == "1" else "s")


def sentence_of(error: HaitangError, language: str | None = None) -> str:
    """What an error says to a person, in their language."""
    return translate(error.kind.sentence, language, **{name: said(value, language) for name, value in error.data.items()})


def said(value: Any, language: str | None = None) -> Any:
    """A value within a sentence: a title, a name, a saying, or a reason put together with `：` and `、`, each part in the reader's language."""
    if isinstance(value, Saying):
        return translate(value.says, language, **{name: said(each, language) for name, each in value.values.items()})
    if not isinstance(value, str) or not (language or active_language()).startswith(ENGLISH):
        return value
    whole = english(value)
    return whole if whole else "".join(english(part) or part for part in re.split("([：、])", value))
