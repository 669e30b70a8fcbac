"""Rows of a block as columns: the well-shaped ones by Arrow all at once, the others one by one, in the order of the file."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.judge.cells import times
from haitang.hub.data.gather.readers.chunks import Built, Tally, columns_of, judged
from haitang.hub.data.gather.readers.headings import Headings
from haitang.hub.data.gather.readers.judging import Judge
from haitang.hub.data.gather.readers.rows import Dialect, row_at
from haitang.hub.data.gather.readers.tokens import Places, Tokens
from haitang.hub.data.gather.readers.types import BLANK, Broken

_NUL_SHOWN = "␀"
_MOST_RAW = 1 << 16  # characters kept of a broken row
_IN_CACHE = 1 << 21  # bytes that Arrow splits before it makes columns of them; what has a longer row goes one by one


class _Form(Protocol):
    @property
    def dialect(self) -> Dialect: ...
    @property
    def headings(self) -> Headings: ...


@dataclass(frozen=True)
class Piece:
    """Tokenized rows, the (start, end) of their lines that could not be decoded, the line on which the first begins."""

    tokens: Tokens
    spoiled: Sequence[tuple[int, int]]
    line: int


@dataclass(frozen=True)
class Lines:
    """Rows that are lines, with nothing in them but text and delimiters: what `tokenize` finds in them is only asked for where it is needed. `rows`: how many;
    `line`: that of the first."""

    text: bytes
    rows: int
    line: int


def lines_of(text: bytes, line: int, form: _Form) -> Lines | None:
    """A block (UTF-8, ended by a line break) as lines, where each of its lines is a row."""
    odd = (form.dialect.quote, b"\r", b"\0")
    if len(form.dialect.delimiter) != 1 or len(form.headings.names) < 2 or any(each in text for each in odd if each):
        return None
    return Lines(text, times(np.frombuffer(text, np.uint8), 10), line)


def cut_lines(lines: Lines, form: _Form, judge: Judge, tally: Tally) -> Built | None:
    """As `cut`; None where not all lines have as many cells as there are headings (an empty one has too few)."""
    columns = _read(lines.text, lines.rows, form)
    if columns is None:
        return None
    tally.file_rows += lines.rows
    columns, line, _ = judged(columns, lines.line + np.arange(lines.rows, dtype=np.int64), judge, tally)
    return columns, line, [], lambda places: _joined(columns, places, form.dialect)


def _joined(columns: pa.RecordBatch, places: Sequence[int], dialect: Dialect) -> list[str]:
    """The text of rows without quotes: their cells with a delimiter between them."""
    cells = columns.take(pa.array(places, pa.int64())).columns
    return [text[:_MOST_RAW] for text in pc.binary_join_element_wise(*cells, dialect.delimiter.decode()).to_pylist()]


def cut(piece: Piece, form: _Form, judge: Judge, tally: Tally) -> Built:
    """Columns, lines, broken rows and raw text of a piece; rows that are no data are counted in `tally`."""
    tokens, names = piece.tokens, form.headings.names
    tally.file_rows += len(tokens.starts)
    lines = _lines(piece)
    blank = tokens.text_ends == tokens.starts
    tally.leave(BLANK, int(blank.sum()))
    spoiled = _spoiled(piece)
    columns, fast = _at_once(tokens, blank, spoiled, form)
    given = np.flatnonzero(fast)
    by_hand, broken = _one_by_one(piece, np.flatnonzero(~fast & ~blank), lines, spoiled, form, judge, tally)
    if by_hand:
        columns, given = _in_order(columns, given, by_hand, names)
    columns, line, kept = judged(columns, lines[given], judge, tally)
    rows = given[kept]

    def raw(places: Sequence[int]) -> list[str]:
        return [_raw(tokens, int(rows[place])) for place in places]

    return columns, line, broken, raw


def _at_once(
    tokens: Tokens, blank: npt.NDArray[np.bool_], spoiled: Collection[int], form: _Form
) -> tuple[pa.RecordBatch, npt.NDArray[np.bool_]]:
    """Columns of the rows that Arrow reads, and which rows these are."""
    names = form.headings.names
    if tokens.counts is None and len(tokens.starts) and not blank.any() and not spoiled:
        whole = np.ones(
            len(tokens.starts), bool
        )  # without quotes, Arrow counts the cells as we do, and says so if they are not as many as the headings
        if (columns := _by_arrow(tokens, np.arange(len(whole)), tokens.text_ends, form)) is not None:
            return columns, whole
    text_ends, fast = _shaped(tokens, len(names), form.dialect)
    fast &= ~blank
    fast[list(spoiled)] = False
    given = np.flatnonzero(fast)
    columns = _by_arrow(tokens, given, text_ends, form) if len(given) else columns_of(names, [])
    return (columns_of(names, []), np.zeros_like(fast)) if columns is None else (columns, fast)


def _lines(piece: Piece) -> npt.NDArray[np.int64]:
    """The physical line on which each row begins, counted as an editor does."""
    tokens = piece.tokens
    if not len(tokens.starts):
        return np.empty(0, np.int64)
    begin, end = int(tokens.starts[0]), int(tokens.ends[-1])
    buffer = np.frombuffer(tokens.text, np.uint8)[begin:end]
    feeds = np.flatnonzero(buffer == 10)
    if b"\r" in tokens.text:
        returns = np.flatnonzero(buffer == 13)
        feeds = np.sort(np.concatenate([feeds, returns[np.append(buffer, 0)[returns + 1] != 10]]))
    elif len(feeds) == len(tokens.starts) and buffer[-1] == 10:  # no row is longer than a line
        return piece.line + np.arange(len(feeds), dtype=np.int64)
    lines: npt.NDArray[np.int64] = piece.line + np.searchsorted(feeds, tokens.starts - begin).astype(np.int64)
    return lines


def _shaped(tokens: Tokens, width: int, dialect: Dialect) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Which rows have as many cells as there are headings, and where their text ends when empty cells behind the last heading are cut off."""
    counts = tokens.counted(dialect)
    fast = counts == width
    text_ends = tokens.text_ends
    if len(dialect.delimiter) != 1:
        return text_ends, fast
    wide = np.flatnonzero(counts > width)
    if len(wide):
        text_ends = text_ends.copy()
        buffer = np.frombuffer(tokens.text, np.uint8)
        for more in np.unique(counts[wide] - width)[:50]:
            rows = wide[counts[wide] - width == more]
            tails = buffer[np.maximum(text_ends[rows][:, None] - np.arange(1, more + 1), 0)]
            rows = rows[(tails == dialect.delimiter[0]).all(axis=1) & (text_ends[rows] - tokens.starts[rows] > more)]
            text_ends[rows] -= more
            fast[rows] = True
    return text_ends, fast


def _spoiled(piece: Piece) -> dict[int, str]:
    """Why rows hold what is no text, by their index."""
    tokens = piece.tokens
    found: dict[int, str] = {}
    for start, end in piece.spoiled:
        first, last = np.searchsorted(tokens.ends, start, "right"), np.searchsorted(tokens.starts, end)
        found |= dict.fromkeys(range(int(first), int(last)), faults.UNDECODABLE)
    if b"\0" in tokens.text:
        for place in np.flatnonzero(np.frombuffer(tokens.text, np.uint8) == 0):
            row = int(np.searchsorted(tokens.ends, place, "right"))
            if row < len(tokens.starts) and place >= tokens.starts[row]:
                found.setdefault(row, faults.NUL)
    return found


def _by_arrow(tokens: Tokens, rows: Places, text_ends: Places, form: _Form) -> pa.RecordBatch | None:
    """None where Arrow does not see the rows as they were counted; then they are read one by one."""
    return _read(_gathered(tokens, rows, text_ends), len(rows), form)


def _read(data: bytes, rows: int, form: _Form) -> pa.RecordBatch | None:
    names = form.headings.names
    keys = [str(n) for n in range(len(names))]
    quote = form.dialect.quote.decode() or False
    options = {
        "read_options": arrow_csv.ReadOptions(column_names=keys, block_size=_IN_CACHE, use_threads=False),
        "parse_options": arrow_csv.ParseOptions(
            delimiter=form.dialect.delimiter.decode(), quote_char=quote, double_quote=bool(quote), newlines_in_values=True,
            ignore_empty_lines=False,
        ),
        "convert_options": arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(keys, pa.string()), strings_can_be_null=False, check_utf8=False
        ),
    }  # fmt: skip
    try:
        table = arrow_csv.read_csv(pa.py_buffer(data), **options).combine_chunks()
    except pa.ArrowInvalid:
        return None
    if table.num_rows != rows:
        return None
    return pa.RecordBatch.from_arrays([column.chunk(0) for column in table.columns], names=list(names))


def _gathered(tokens: Tokens, rows: Places, text_ends: Places) -> bytes:
    """The bytes of these rows one behind the other; without a copy where they are all there is."""
    if len(rows) == len(tokens.starts) and text_ends is tokens.text_ends:
        return tokens.text[int(tokens.starts[0]) : int(tokens.ends[-1])]
    steps = np.zeros(len(tokens.text) + 1, np.int8)
    steps[tokens.starts[rows]] += 1
    np.subtract.at(steps, text_ends[rows], 1)
    np.add.at(steps, tokens.text_ends[rows], 1)
    np.subtract.at(steps, tokens.ends[rows], 1)
    chosen: bytes = np.frombuffer(tokens.text, np.uint8)[np.cumsum(steps[:-1], dtype=np.int8) > 0].tobytes()
    return chosen


def _one_by_one(
    piece: Piece, rows: Places, lines: npt.NDArray[np.int64], spoiled: dict[int, str], form: _Form, judge: Judge, tally: Tally
) -> tuple[list[tuple[int, list[str]]], list[Broken]]:
    """Rows that are not shaped like the headings: some are whole all the same, some are notes or totals, the rest is broken."""
    tokens, width = piece.tokens, len(form.headings.names)
    sound: list[tuple[int, list[str]]] = []
    broken: list[Broken] = []
    for row in map(int, rows):
        read = tokens.slow.get(row) or row_at(tokens.text, int(tokens.starts[row]), form.dialect, True)
        cells = list(read.cells)
        reason = spoiled.get(row) or read.reason
        if not reason and (word := judge.word(cells)):
            tally.leave(word)
            continue
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if not reason and len(cells) == width:
            sound.append((row, cells))
            continue
        reason = reason or (faults.FEWER if len(cells) < width else faults.MORE)
        broken.append(Broken(int(lines[row]), _raw(tokens, row), (reason,)))
    return sound, broken


def _in_order(
    columns: pa.RecordBatch, given: Places, by_hand: list[tuple[int, list[str]]], names: Sequence[str]
) -> tuple[pa.RecordBatch, Places]:
    rows = np.concatenate([given, np.array([row for row, _ in by_hand], np.intp)])
    order = np.argsort(rows, kind="stable")
    both = pa.Table.from_batches([columns, columns_of(names, [cells for _, cells in by_hand])]).take(pa.array(order)).combine_chunks()
    return pa.RecordBatch.from_arrays([column.chunk(0) for column in both.columns], names=list(names)), rows[order]


def _raw(tokens: Tokens, row: int) -> str:
    text = tokens.text[int(tokens.starts[row]) : int(tokens.text_ends[row])]
    return text.decode("utf-8", "replace").replace("\0", _NUL_SHOWN)[:_MOST_RAW]
