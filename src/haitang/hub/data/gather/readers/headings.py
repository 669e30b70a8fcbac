"""Where the headings of a table stand, in how many rows, and what its columns are called."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from haitang.hub.data.gather.readers.types import BLANK, HEADER, TITLE, Layout

_VALUE = re.compile(
    r"[-+]?[\d,]*\.?\d+(?:[eE][-+]?\d+)?%?|\d{4}[-/.年]\d{1,2}(?:[-/.月]\d{1,2}日?)?(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?|[-/—*]+|\d{1,2}:\d{2}(?::\d{2})?"
)
_YEAR = re.compile(r"(?:19|20)\d{2}年?|\d{1,2}月")
Row = Sequence[str]


@dataclass(frozen=True)
class Headings:
    """`names`: one for each column. `before`: the word of each row above the data, in order. `header`: the rows of headings as they stand."""

    names: tuple[str, ...]
    before: tuple[str, ...]
    header: tuple[tuple[str, ...], ...]


def find(rows: Sequence[Row], layout: Layout, merged_rows: dict[int, int] | None = None) -> Headings:
    """Headings among the first rows of a table. `merged_rows`: over how many rows merged cells hold a row together, by its index."""
    at = layout.header - 1 if layout.header else _header_at(rows)
    if layout.header == 0 or (layout.header is None and (layout.columns or _is_data(rows, at))):
        begin = next((n for n, row in enumerate(rows) if _filled(row)), 0) if layout.header is None else 0
        width = _usual_width(rows)
        return Headings(_names([layout.columns or []], max(width, len(layout.columns or []))), (BLANK,) * begin, ())
    high = layout.header_rows or (merged_rows or {}).get(at) or _high(rows, at)
    header = [_trimmed(row) for row in rows[at : at + high]]
    width = max((len(row) for row in header), default=0)
    names = _names([layout.columns] if layout.columns else _filled_right(header, width), max(width, len(layout.columns or [])))
    before = [TITLE if _filled(row) else BLANK for row in rows[:at]]
    return Headings(names, (*before, *(HEADER,) * len(header)), tuple(tuple(row) for row in header))


def _filled(row: Row) -> list[str]:
    return [cell for cell in row if cell.strip()]


def _trimmed(row: Row) -> list[str]:
    """Without empty cells at its end."""
    width = max((n for n, cell in enumerate(row, 1) if cell.strip()), default=0)
    return list(row[:width])


def _header_at(rows: Sequence[Row]) -> int:
    """The first row that is about as wide as the table: titles and `填报单位` lines above it fill few cells."""
    width = _usual_width(rows)
    if not width:
        return 0
    least = ceil(0.6 * width)
    wide = (n for n, row in enumerate(rows) if _fill(row) >= max(least, min(width, 2)) or (width > 1 and _high(rows, n) == 2))
    return next(wide, next(n for n, row in enumerate(rows) if _filled(row)))


def _usual_width(rows: Sequence[Row]) -> int:
    """Of most rows; the wider where as many have another."""
    widths = Counter(len(_trimmed(row)) for row in rows if _filled(row))
    return max(widths, key=lambda w: (widths[w], w), default=0)


def _fill(row: Row) -> int:
    """How many cells say something; a title merged over the table and filled into all its cells counts once."""
    filled = _filled(row)
    return len(filled) if len(set(filled)) > 1 else min(len(filled), 1)


def _is_data(rows: Sequence[Row], at: int) -> bool:
    """Whether the row that would be headings is data: it holds a value in a column that holds values below. Years in order are headings."""
    if at >= len(rows):
        return False
    cells = [cell.strip() for cell in rows[at]]
    values = [n for n, cell in enumerate(cells) if cell and _VALUE.fullmatch(cell)]
    if not values or (all(_YEAR.fullmatch(cells[n]) for n in values) and len(values) < len(_filled(cells))):
        return False
    below = rows[at + 1 : at + 6]
    return not below or any(n < len(row) and _VALUE.fullmatch(row[n].strip()) for row in below for n in values)


def _high(rows: Sequence[Row], at: int) -> int:
    """Two where the next row names just what the first leaves open (`污染物,,` over `,PM2.5,PM10`), as merged headings come out in text."""
    if at + 2 >= len(rows):
        return 1
    upper, lower = rows[at], rows[at + 1]
    width = max(len(upper), len(lower))
    above, below = ([cell.strip() for cell in (*row, *[""] * (width - len(row)))] for row in (upper, lower))
    named = [n for n in range(width) if below[n]]
    open_ = [n for n in range(width) if not above[n] and below[n]]
    if not named or below[0] or not above[0] or not open_ or any(_VALUE.fullmatch(below[n]) for n in named):
        return 1
    return 2 if all(above[n] or below[n] for n in range(len(_trimmed(lower)))) and _is_narrower(rows[at + 2], below) else 1


def _is_narrower(row: Row, below: Sequence[str]) -> bool:
    """Data below fills the columns that the second row of headings leaves to the first."""
    return bool(row and row[0].strip()) and any(not below[n] and row[n].strip() for n in range(min(len(row), len(below))))


def _filled_right(header: list[list[str]], width: int) -> list[list[str]]:
    """In all but the last row of headings, an empty cell belongs to the one on its left where the row below names it."""
    padded = [[*row, *[""] * (width - len(row))] for row in header]
    for upper, lower in itertools.pairwise(padded):
        for n in range(1, width):
            if not upper[n].strip() and lower[n].strip():
                upper[n] = upper[n - 1]
    return padded


def _names(header: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """One name a column: the headings above each other joined; a column without one is 第n列, a second of the same name gets its number."""
    names: list[str] = []
    for n in range(max(width, 1)):
        parts = dict.fromkeys(_clean(row[n]) for row in header if n < len(row))
        name = "_".join(part for part in parts if part) or f"第{n + 1}列"
        while name in names:
            name = f"{name}_{n + 1}"
        names.append(name)
    return tuple(names)


def _clean(text: str) -> str:
    told = text.replace("\ufeff", "").strip()
    return re.sub(r"\s*[\r\n]\s*", "", told)
