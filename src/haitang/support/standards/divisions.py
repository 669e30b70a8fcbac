"""Divisions that were merged or renamed: which of today's divisions a former code belongs to (`divisions_history.csv`).

Resident numbers and old records keep the code of their time. A code may have meant something else before: the year tells which.
The data holds the counties of Chongqing since 1997 and, in Sichuan since 1983, those of the old city of Chongqing. Its years are those of public
lists and may be off by one; the former prefectures of Wanxian and Fuling are not in it. A code that it lacks is its own successor.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Former:
    """A division of the past: in force in the years `since` to `until`, both counted; `successor` is today's code."""

    code: str
    title: str
    since: int
    until: int
    successor: str


@cache
def former() -> tuple[Former, ...]:
    """All divisions of the past that the data holds."""
    with Path(__file__).with_name("divisions_history.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Former(row["code"], row["title"], int(row["since"]), int(row["until"]), row["successor"]) for row in csv.DictReader(file)
        )


@cache
def _by_code() -> dict[str, tuple[Former, ...]]:
    found: dict[str, tuple[Former, ...]] = {}
    for division in former():
        found[division.code] = (*found.get(division.code, ()), division)
    return found


def successor(code: str) -> str:
    """Today's county for a county code of any time, with the rest of a longer code cut off where the county changed; else the code itself."""
    known = _by_code().get(code[:6])
    if not known or all(division.successor == code[:6] for division in known):
        return code
    return known[-1].successor


def title_in(code: str, year: int) -> str:
    """What the first six digits were called in that year, or an empty string where the history does not tell (today's name is the place's to say)."""
    return next((d.title for d in _by_code().get(code[:6], ()) if d.since <= year <= d.until), "")
