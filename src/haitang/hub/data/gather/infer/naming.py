"""From a heading to a field: its word, its title without the unit, its unit."""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_UNIT = re.compile(r"^(?P<title>.+?)\s*[(（\[【](?P<unit>[^()（）\[\]【】]{1,16})[)）\]】]$")
_PREFIXED = re.compile(r"^(?P<title>.+?)\s*[:：/]\s*(?P<unit>mg/L|℃|万元|元|米|公里|亩|吨|%)$")
_NO_UNIT = {"无量纲", "无", "选填", "必填", "可选"}
_UNITS = re.compile(
    r"[℃°%‰]|°[A-Za-z]|[A-Za-zμµ]{1,6}[0-9²³]?|[A-Za-zμµ0-9²³]{1,8}(?:/[A-Za-zμµ0-9²³·]{1,8})+"
    r"|[十百千万亿]?(?:元|人|个|件|亩|吨|次|户|台|辆|家|米|平方米|立方米|公里|千米|公顷|公斤|千克|克|升|瓦|度|千瓦时)(?:/(?:年|月|日|天|小时|人|亩|次|吨))?"
    r"|年|月|日|天|时|分|秒|小时|分钟"
)


@dataclass(frozen=True)
class Name:
    """A field's word and title. `known`: the word says what the title says; else it only counts."""

    word: str
    title: str
    unit: str | None
    known: bool


def names_of(headings: list[str]) -> list[Name]:
    """A name for each heading, no word twice."""
    taken: set[str] = set()
    found = []
    for n, heading in enumerate(headings, 1):
        title, unit = _split(heading)
        word = _word(title)
        known = word is not None
        word = word or f"field_{n}"
        while word in taken:
            word = f"{word}_{n}"
        taken.add(word)
        found.append(Name(word, title, unit, known))
    return found


def _split(heading: str) -> tuple[str, str | None]:
    heading = heading.strip()
    found = _UNIT.match(heading) or _PREFIXED.match(heading)
    if not found:
        return heading, None
    unit = found["unit"].strip()
    if unit in _NO_UNIT:
        return found["title"], None
    return (found["title"], unit) if _UNITS.fullmatch(unit.replace(" ", "")) else (heading, None)


@cache
def _lexicon() -> dict[str, str]:
    with Path(__file__).with_name("lexicon.csv").open(encoding="utf-8", newline="") as file:
        return {row["term"]: row["word"] for row in csv.DictReader(file)}


def _word(title: str) -> str | None:
    """The word of a title: that of the lexicon, those of its parts, or its own letters where it is ASCII."""
    told = re.sub(r"[\s_\-·/、.]+", "_", title).strip("_")
    parts = [_part(part) for part in told.split("_") if part]
    if not parts or None in parts:
        return None
    word = re.sub(r"[^a-z0-9_]", "", "_".join(part for part in parts if part))[:48].strip("_")
    return word if re.fullmatch(r"[a-z][a-z0-9_]*", word) else None


def _part(part: str) -> str | None:
    if part.isascii():
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", part).lower()
    words: list[str] = []
    while part:
        term = next((part[:n] for n in range(len(part), 0, -1) if part[:n] in _lexicon()), None)
        if term is None:
            return None
        words.append(_lexicon()[term])
        part = part[len(term) :]
    return "_".join(dict.fromkeys(words))
