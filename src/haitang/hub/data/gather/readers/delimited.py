"""CSV, TSV and their kin: any delimiter, UTF-8, GB18030 or UTF-16, rows as dirty as they come, in bounded memory.

Rows that keep to RFC 4180 and to the width of the headings go through numpy and Arrow; the others one by one. Cells are given as they stand in
the file: spaces, full-width digits and thousands separators are the rules' matter. Empty cells behind the last heading (trailing commas) are
dropped; a row with fewer or more cells is broken, since nobody can tell which cell is missing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers import encoding, headings
from haitang.hub.data.gather.readers.chunks import Built, Tally
from haitang.hub.data.gather.readers.cutting import Lines, Piece, cut, cut_lines, lines_of
from haitang.hub.data.gather.readers.encoding import Decoding
from haitang.hub.data.gather.readers.judging import Judge
from haitang.hub.data.gather.readers.opened import Opened
from haitang.hub.data.gather.readers.rows import Dialect, delimiter_of, rows_of
from haitang.hub.data.gather.readers.tokens import tokenize
from haitang.hub.data.gather.readers.types import ROWS, Chunk, Layout, Position

_SAMPLE = 1 << 18
_FIRST_BLOCK, _LARGEST_BLOCK = 1 << 18, 24 << 20
_GROWTH = 16  # of a block over the one before
_LONGEST_ROW = 32 << 20
_LOOKED_AT = 60  # rows among which headings are looked for


@dataclass(frozen=True)
class Form:
    """What was found at the head of a file: the same each time it is opened, so that a run can go on."""

    decoding: Decoding
    dialect: Dialect
    headings: headings.Headings
    begin: Mapping[str, Any]  # the position of the first row of data


def form_of(path: Path, layout: Layout) -> Form:
    """Look at the head of the file."""
    with Opened(path) as file:
        decoding = encoding.detect(file, layout.encoding)
    with Opened(path, decoding.mark) as file:
        raw = file.read(_SAMPLE)
        final = len(raw) < _SAMPLE
        lines = encoding.whole_lines(raw, decoding, final)
        while not lines and not final and len(raw) < _LONGEST_ROW:
            more = file.read(len(raw))
            raw, final = raw + more, not more
            lines = encoding.whole_lines(raw, decoding, final)
    text = encoding.decode(lines, decoding).text
    quote = (layout.quote if layout.quote is not None else '"').encode()
    dialect = Dialect(layout.delimiter.encode() if layout.delimiter else delimiter_of(text, quote), quote)
    rows = rows_of(text, dialect, max(_LOOKED_AT, (layout.header or 0) + (layout.header_rows or 1)), final)
    found = headings.find([list(row.cells) for row in rows], layout)
    end = rows[min(len(found.before), len(rows)) - 1].end if found.before and rows else 0
    whole = final and end == len(text)
    offset = len(lines) if whole else encoding.length_of(lines, _breaks(text[:end]), decoding)
    begin = {"offset": decoding.mark + offset, "line": 1 + _feeds(text, 0, end), **Tally.of(found.before).position()}
    return Form(decoding, dialect, found, begin)


def _breaks(text: bytes) -> int:
    return text.count(b"\n") + text.count(b"\r")


def _feeds(text: bytes, begin: int, end: int) -> int:
    """Line breaks between two places, as an editor counts them."""
    feeds = text.count(b"\n", begin, end)
    return feeds + text.count(b"\r", begin, end) - text.count(b"\r\n", begin, end) if b"\r" in text else feeds


def read_delimited(path: Path, layout: Layout, start: Position | None = None) -> Iterator[Chunk]:
    """The file as chunks, from its beginning or from the position of a chunk on."""
    form = form_of(path, layout)
    judge = Judge(form.headings.header, layout.totals)
    at = start or form.begin
    tally = Tally(at["file_rows"], dict(at["left_out"]))
    with Opened(path, at["offset"]) as file:
        for piece, offset, line, done in _pieces(file, form, at["offset"], at["line"]):
            built = piece(form, judge, tally)
            position = {"offset": offset, "line": line, **tally.position()}
            yield Chunk(
                *built, position, tally.file_rows, file.read_bytes if file.packed else offset, file.total_bytes, dict(tally.left_out), done
            )


Cut = Callable[[Form, Judge, Tally], Built]


def _pieces(file: Opened, form: Form, offset: int, line: int) -> Iterator[tuple[Cut, int, int, bool]]:
    """Rows that are still to be cut, at most ROWS at once, each time with the offset and line behind them and whether they are the last."""
    rest, size = b"", _FIRST_BLOCK
    while True:
        lines, rest, final = _next_lines(file, rest, size, form.decoding)
        block = encoding.decode(lines, form.decoding)
        if (whole := _lines(block, line, form)) is not None and whole.rows <= ROWS:
            offset, line = offset + len(lines), line + whole.rows
            yield partial(_cut_lines, whole, final), offset, line, final
            if final:
                return
            size = _next_size(len(lines), whole.rows)
            continue
        tokens = tokenize(block.text, form.dialect, final)
        if not len(tokens.ends) and not final:
            rest = lines + rest
            if len(rest) > _LONGEST_ROW:
                raise faults.ROW_TOO_LONG(line=line, limit=_LONGEST_ROW >> 20)
            continue
        used = 0
        for first, last in _slices(len(tokens.ends)):
            end = int(tokens.ends[last - 1]) if last else 0
            begin = int(tokens.starts[first]) if last else 0
            taken = _taken(lines, block, end, form.decoding)
            piece = Piece(tokens.between(first, last), block.spoiled, line)
            line += _feeds(block.text, begin, end)
            yield partial(cut, piece), offset + taken, line, final and last == len(tokens.ends)
            used = taken
        offset, rest = offset + used, lines[used:] + rest
        if final:
            return
        size = _next_size(used, len(tokens.ends))


def _next_lines(file: Opened, rest: bytes, size: int, decoding: Decoding) -> tuple[bytes, bytes, bool]:
    """Whole lines of what is left and of the next block, what is left then, and whether the file ends."""
    if not rest and decoding.width == 1 and (whole := file.lines(size)) is not None:
        return whole, b"", False
    more = file.read(size)
    following = file.read(1)  # tells whether there is another block, of which nothing else need be kept
    lines, rest = encoding.next_lines(rest, more, decoding, not following)
    return lines, rest + following, not following


def _next_size(used: int, rows: int) -> int:
    """Bytes of a block with somewhat fewer rows than a chunk may have, after one with so many of each; larger step by step, so that whoever waits for it has some soon."""
    return min(max(int(used / max(rows, 1) * ROWS * 0.9), _FIRST_BLOCK), _LARGEST_BLOCK, max(_GROWTH * used, _FIRST_BLOCK))


def _lines(block: encoding.Block, line: int, form: Form) -> Lines | None:
    return lines_of(block.text, line, form) if not block.spoiled and block.text.endswith(b"\n") else None


def _cut_lines(lines: Lines, final: bool, form: Form, judge: Judge, tally: Tally) -> Built:
    """Most blocks are read at once; one with a ragged line is tokenized."""
    built = cut_lines(lines, form, judge, tally)
    return cut(Piece(tokenize(lines.text, form.dialect, final), [], lines.line), form, judge, tally) if built is None else built


def _slices(rows: int) -> list[tuple[int, int]]:
    return [(first, min(first + ROWS, rows)) for first in range(0, rows, ROWS)] or [(0, 0)]


def _taken(lines: bytes, block: encoding.Block, end: int, decoding: Decoding) -> int:
    """How many bytes of the file the first `end` bytes of the text take."""
    if end == len(block.text):
        return len(lines)
    if decoding.encoding == "utf-8" and not block.spoiled:
        return end
    return encoding.length_of(lines, _breaks(block.text[:end]), decoding)
