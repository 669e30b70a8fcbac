"""The fast way through delimited text: row ends and cell counts of a block found with numpy, careless rows handed to the careful way.

A block is read fast as long as its quotes are where RFC 4180 wants them. At the first that is not, some rows are read one by one, then it goes on
fast; the number of rows read slowly doubles each time, so that a block is passed over a bounded number of times however dirty it is.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from haitang.hub.data.gather.readers.rows import Dialect, SlowRow, row_at

Places = npt.NDArray[np.intp]
_LF, _CR = 10, 13


@dataclass
class Tokens:
    """Rows of a block: [start, text_end) is the text, `end` the next row. `counts`: cells, 0 for rows in `slow`, by the index of the row; None where there is no
    quote, so that whoever splits the rows at each delimiter finds out."""

    text: bytes
    starts: Places
    text_ends: Places
    ends: Places
    counts: Places | None
    slow: dict[int, SlowRow] = field(default_factory=dict)

    @property
    def consumed(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def between(self, first: int, last: int) -> "Tokens":
        """Some of the rows."""
        slow = {n - first: row for n, row in self.slow.items() if first <= n < last}
        part = slice(first, last)
        counts = None if self.counts is None else self.counts[part]
        return Tokens(self.text, self.starts[part], self.text_ends[part], self.ends[part], counts, slow)

    def counted(self, dialect: Dialect) -> Places:
        """`counts`, counted now where they were not."""
        if self.counts is not None:
            return self.counts
        if not len(self.starts):
            return np.empty(0, np.intp)
        begin = int(self.starts[0])
        buffer = np.frombuffer(self.text, np.uint8)[begin : self.consumed]
        delimiters = np.flatnonzero(buffer == dialect.delimiter[0])
        return np.diff(np.searchsorted(delimiters, self.ends - begin), prepend=0) + 1


class _Marks:
    """Places of everything that means something in a block."""

    def __init__(self, text: bytes, dialect: Dialect) -> None:
        self.buffer = np.frombuffer(text, np.uint8)
        self.quotes = np.flatnonzero(self.buffer == dialect.quote[0]) if dialect.quote and dialect.quote in text else np.empty(0, np.intp)
        self.feeds = np.flatnonzero(self.buffer == _LF)
        self.delimiters = np.flatnonzero(self.buffer == dialect.delimiter[0]) if len(self.quotes) else np.empty(0, np.intp)
        self.returns = np.empty(0, np.intp)
        self.carriage = b"\r" in text
        if self.carriage:
            returns = np.flatnonzero(self.buffer == _CR)
            followed = np.append(self.buffer, 0)[returns + 1] == _LF
            self.returns = returns[~followed]
            if len(self.returns):
                self.feeds = np.sort(np.concatenate([self.feeds, self.returns]))
        self.dialect = dialect


def tokenize(text: bytes, dialect: Dialect, final: bool) -> Tokens:
    """Rows of a block that ends with a line break, or with the file where `final`. A last row whose quotes are still open is not given."""
    if len(dialect.delimiter) != 1 or len(dialect.quote) > 1:
        return _slow(text, dialect, 0, len(text) + 1, final)
    marks = _Marks(text, dialect)
    parts: list[Tokens] = []
    at, step = 0, 1
    while at < len(text):
        fast, clean = _fast(text, marks, at, final)
        parts.append(fast)
        at = fast.consumed or at
        if clean:
            break
        slow = _slow(text, dialect, at, step, final)
        parts.append(slow)
        if not len(slow.ends):
            break
        at, step = slow.consumed, step * 2
    return _joined(text, parts)


def _fast(text: bytes, marks: _Marks, at: int, final: bool) -> tuple[Tokens, bool]:
    """Rows from `at` until the first whose quotes are out of place; whether there is none such."""
    quotes = marks.quotes[np.searchsorted(marks.quotes, at) :]
    feeds = marks.feeds[np.searchsorted(marks.feeds, at) :]
    delimiters = marks.delimiters[np.searchsorted(marks.delimiters, at) :]
    limit = len(text)
    clean = True
    if len(quotes):
        misplaced = _first_misplaced(marks, quotes, at)
        open_ = len(quotes) % 2 == 1
        feeds = feeds[np.searchsorted(quotes, feeds) % 2 == 0]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
        clean = misplaced is None and not open_
        limit = misplaced if misplaced is not None else int(quotes[-1]) if open_ else limit
        feeds = feeds[feeds < limit]
    ends = feeds + 1
    if clean and final and (not len(ends) or ends[-1] < len(text)):
        ends = np.append(ends, len(text))
    starts = np.concatenate([[at], ends[:-1]]).astype(np.intp) if len(ends) else np.empty(0, np.intp)
    counts = np.diff(np.searchsorted(delimiters, ends), prepend=0) + 1 if len(marks.quotes) else None
    return Tokens(text, starts, _text_ends(marks.buffer, starts, ends, marks.carriage), ends, counts), clean


def _first_misplaced(marks: _Marks, quotes: Places, at: int) -> int | None:
    """The first opening quote that begins no cell, or closing one that ends none."""
    ends = (marks.dialect.delimiter[0], _LF, _CR, marks.dialect.quote[0])
    padded = marks.buffer
    opening, closing = quotes[0::2], quotes[1::2]
    before = padded[np.maximum(opening - 1, 0)]
    wrong_opening = opening[~(np.isin(before, ends) | (opening == at))]
    behind = padded[np.minimum(closing + 1, len(padded) - 1)]
    wrong_closing = closing[~(np.isin(behind, ends) | (closing == len(padded) - 1))]
    wrong = [int(places[0]) for places in (wrong_opening, wrong_closing) if len(places)]
    return min(wrong, default=None)


def _text_ends(buffer: npt.NDArray[np.uint8], starts: Places, ends: Places, returns: bool) -> Places:
    """Ends of the rows without CR and LF."""
    if not returns:
        text_ends = ends - 1
        if len(ends) and buffer[ends[-1] - 1] != _LF:  # the last of a file
            text_ends[-1] = ends[-1]
        return text_ends
    text_ends = ends.copy()
    for byte in (_LF, _CR):
        last = buffer[np.maximum(text_ends - 1, 0)] if len(buffer) else text_ends
        ended = (text_ends > starts) & (last == byte)
        if byte == _CR:  # before LF, or alone at the end of its row
            ended &= (ends - text_ends) <= 1
        text_ends = text_ends - ended
    return text_ends


def _slow(text: bytes, dialect: Dialect, at: int, rows: int, final: bool) -> Tokens:
    found: list[tuple[int, SlowRow]] = []
    while at < len(text) and len(found) < rows:
        row = row_at(text, at, dialect, final)
        if row.incomplete:
            break
        found.append((at, row))
        at = row.end
    return Tokens(
        text,
        np.array([start for start, _ in found], np.intp),
        np.array([row.text_end for _, row in found], np.intp),
        np.array([row.end for _, row in found], np.intp),
        np.zeros(len(found), np.intp),
        {n: row for n, (_, row) in enumerate(found)},
    )


def _joined(text: bytes, parts: list[Tokens]) -> Tokens:
    if len(parts) == 1:
        return parts[0]
    slow: dict[int, SlowRow] = {}
    before = 0
    for part in parts:
        slow |= {before + n: row for n, row in part.slow.items()}
        before += len(part.starts)
    starts, text_ends, ends, counts = (
        np.concatenate([getattr(part, name) for part in parts]) if parts else np.empty(0, np.intp)
        for name in ("starts", "text_ends", "ends", "counts")
    )
    return Tokens(text, starts, text_ends, ends, counts, slow)
