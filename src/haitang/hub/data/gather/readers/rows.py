"""The careful way through delimited text: one row at a time, by RFC 4180, saying what is wrong with a row that does not keep to it.

A quote means something only at the beginning of a cell. A row whose quotes do not add up is broken and ends with its line: what follows is read
on its own, so that one stray quote never swallows the rest of the file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from haitang.hub.data.gather import faults

OPEN = 1 << 20  # bytes over which a quoted cell may run, at most


@dataclass(frozen=True)
class Dialect:
    """Delimiter and quote, as bytes of UTF-8; an empty quote means that none is one."""

    delimiter: bytes = b","
    quote: bytes = b'"'


@dataclass(frozen=True)
class SlowRow:
    """One row: its cells, or the reason why it is broken; `end` is where the next begins. `incomplete`: the text ends within a quoted cell."""

    cells: Sequence[str]
    reason: str
    text_end: int
    end: int
    incomplete: bool = False


_BREAK = re.compile(rb"\r\n|\n|\r|\Z")


@cache
def _plain(delimiter: bytes) -> re.Pattern[bytes]:
    """A cell without quotes, with what ends it."""
    return re.compile(rb"(.*?)(" + re.escape(delimiter) + rb"|\r\n|\n|\r|\Z)", re.DOTALL)


@cache
def _quoted(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    """A cell in quotes, doubled ones within, with blanks behind it and what ends it."""
    q = re.escape(quote)
    return re.compile(
        q + rb"((?:[^" + q + rb"]|" + q * 2 + rb")*+)" + q + rb"(?!" + q + rb")(?:[ \t]*(" + re.escape(delimiter) + rb"|\r\n|\n|\r|\Z))?",
        re.DOTALL,
    )


def row_at(text: bytes, start: int, dialect: Dialect, final: bool) -> SlowRow:
    """The row that begins at `start`."""
    at = start
    cells: list[str] = []
    while True:
        if dialect.quote and text.startswith(dialect.quote, at):
            found = _quoted(dialect.delimiter, dialect.quote).match(text, at)
            if found is None:
                open_ = not final and len(text) - at < OPEN
                return _broken(text, start, faults.UNCLOSED, incomplete=open_)
            if found[2] is None:
                return _broken(text, start, faults.AFTER_QUOTE, incomplete=False)
            cell = found[1].replace(dialect.quote * 2, dialect.quote)
        else:
            found = _plain(dialect.delimiter).match(text, at)
            assert found is not None
            cell = found[1]
        cells.append(cell.decode("utf-8", "replace"))
        if found[2] != dialect.delimiter:
            return SlowRow(cells, "", found.start(2), found.end())
        at = found.end()


def _broken(text: bytes, start: int, reason: str, *, incomplete: bool) -> SlowRow:
    found = _BREAK.search(text, start)
    assert found is not None
    return SlowRow((), reason, found.start(), found.end(), incomplete)


def rows_of(text: bytes, dialect: Dialect, most: int, final: bool) -> list[SlowRow]:
    """The first rows of a text, for finding headings."""
    found: list[SlowRow] = []
    at = 0
    while at < len(text) and len(found) < most:
        row = row_at(text, at, dialect, final)
        if row.incomplete:
            break
        found.append(row)
        at = row.end
    return found


_CANDIDATES = (b",", b"\t", b";", b"|")


def delimiter_of(text: bytes, quote: bytes) -> bytes:
    """The candidate that cuts most rows of a sample into the same number of cells, more than one; a comma where none does."""
    best, score = b",", (0.0, 0)
    for candidate in _CANDIDATES:
        if candidate not in text:
            continue
        widths = [len(row.cells) for row in rows_of(text, Dialect(candidate, quote), 60, False) if not row.reason and any(row.cells)]
        most = max(set(widths), key=lambda w: (widths.count(w), w), default=0)
        told = (round(widths.count(most) / len(widths), 2), most) if most > 1 else (0.0, 0)
        best, score = (candidate, told) if told > score else (best, score)
    return best
