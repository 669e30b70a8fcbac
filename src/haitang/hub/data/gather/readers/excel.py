"""Workbooks (xlsx, xls, ods): one sheet, its merged cells filled, what is above and below the table left out.

Not written in the layout: the first visible sheet that holds anything. Rows of the other sheets are counted as `other_sheet` or `hidden_sheet`,
so that nothing goes unseen. A format that only changes how a number looks (85 % for 0.85) is not known: the number is given.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine as calamine

from haitang.base.workbooks import UnpackedTooLargeError, check_workbook
from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers import headings
from haitang.hub.data.gather.readers.archive import check_archive
from haitang.hub.data.gather.readers.cells import imprecise, text_of
from haitang.hub.data.gather.readers.chunks import Tally, from_cells
from haitang.hub.data.gather.readers.judging import Judge
from haitang.hub.data.gather.readers.types import HIDDEN_SHEET, OTHER_SHEET, ROWS, Broken, Chunk, Layout, Position

_LOOKED_AT = 60
_MOST_CELLS = 60_000_000  # a full sheet of 57 columns
Merges = list[tuple[tuple[int, int], tuple[int, int]]]


def sheets_of(path: Path) -> list[tuple[str, int, bool]]:
    """Names of the sheets, how many rows each has, and whether it is visible."""
    book = _opened(path)
    visible = {told.name: told.visible == calamine.SheetVisibleEnum.Visible for told in book.sheets_metadata}
    return [(name, _size(book.get_sheet_by_name(name))[0], visible.get(name, True)) for name in book.sheet_names]


def read_excel(path: Path, layout: Layout, start: Position | None = None) -> Iterator[Chunk]:
    """The sheet as chunks; `line` is the row of the sheet."""
    book = _opened(path)
    sheet, others = _chosen(book, path, layout)
    rows = _Rows(sheet)
    head = [[text_of(value) for value in row] for row in rows.between(0, max(_LOOKED_AT, (layout.header or 0) + 5))]
    found = headings.find(head, layout, rows.merged_rows())
    judge = Judge([*found.header, found.names], layout.totals)
    tally = Tally.of(found.before)
    for word, count in others.items():
        tally.file_rows += count
        tally.leave(word, count)
    first = len(found.before)
    if start:
        first, tally = start["row"], Tally(start["file_rows"], dict(start["left_out"]))
    total = path.stat().st_size
    while True:
        last = min(first + ROWS, rows.height)
        values = rows.between(first, last)
        tally.file_rows += len(values)
        built = from_cells(found.names, *_shaped(values, first, len(found.names), judge, tally), judge, tally)
        done = last >= rows.height
        read = total if done else total * last // rows.height
        yield Chunk(*built, {"row": last, **tally.position()}, tally.file_rows, read, total, dict(tally.left_out), done)
        if done:
            return
        first = last


def _opened(path: Path) -> Any:
    if zipfile.is_zipfile(path):
        check_archive(path)
        _measure(path)
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except Exception as failure:
        raise faults.NOT_EXCEL(name=path.name, why=str(failure)) from failure
    except BaseException as failure:  # a panic of the library on a damaged file
        if isinstance(failure, KeyboardInterrupt | SystemExit):
            raise
        raise faults.NOT_EXCEL(name=path.name, why=type(failure).__name__) from failure


MOST_IN_MEMORY = 4 << 30  # bytes: the library takes the sheet into memory


def _measure(path: Path) -> None:
    """What the archive says of its sizes may be a lie, and the library takes a whole sheet into memory: so each member is unpacked once into nothing."""
    try:
        with path.open("rb") as file:
            check_workbook(file, MOST_IN_MEMORY)
    except UnpackedTooLargeError as wrong:
        raise faults.NOT_EXCEL(name=path.name, why=str(wrong)) from wrong


def _chosen(book: Any, path: Path, layout: Layout) -> tuple[Any, dict[str, int]]:
    """The sheet, and the rows of the others by word."""
    visible = {told.name: told.visible == calamine.SheetVisibleEnum.Visible for told in book.sheets_metadata}
    heights: dict[str, int] = {}
    for name in book.sheet_names:
        try:
            heights[name] = _size(book.get_sheet_by_name(name))[0]
        except Exception:
            heights[name] = 0  # a chart or macro sheet has no cells
    if layout.sheet and layout.sheet not in heights:
        raise faults.NO_SHEET(sheet=layout.sheet, sheets="、".join(heights))
    name = layout.sheet or next((name for name, height in heights.items() if height and visible.get(name, True)), None)
    if name is None or not heights[name]:
        raise faults.NO_ROWS(name=path.name)
    others: dict[str, int] = {}
    for other, height in heights.items():
        if other != name and height:
            word = OTHER_SHEET if visible.get(other, True) else HIDDEN_SHEET
            others[word] = others.get(word, 0) + height
    return book.get_sheet_by_name(name), others


def _size(sheet: Any) -> tuple[int, int]:
    """Rows and columns from the first cell of the sheet to the last that holds anything."""
    return (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end else (0, 0)


class _Rows:
    """Rows of a sheet from its first row on, merged cells filled with their value."""

    def __init__(self, sheet: Any) -> None:
        height, width = _size(sheet)
        if height * width > _MOST_CELLS:
            raise faults.TOO_LARGE(name=sheet.name, limit=f"{_MOST_CELLS:,} 个单元格")
        self._values: list[list[Any]] = sheet.to_python(skip_empty_area=False)
        self.height = len(self._values)
        self.merges: Merges = sheet.merged_cell_ranges or []
        for (top, left), (bottom, right) in self.merges:
            self._fill(top, left, bottom, right)

    def _fill(self, top: int, left: int, bottom: int, right: int) -> None:
        if top >= self.height or left >= len(self._values[top]):
            return
        value = self._values[top][left]
        for row in self._values[top : bottom + 1]:
            row[left : right + 1] = [value] * len(row[left : right + 1])

    def between(self, first: int, last: int) -> list[list[Any]]:
        return self._values[first:last]

    def merged_rows(self) -> dict[int, int]:
        """How many rows of headings begin at a row: down to the last row that a merge from it reaches, one more where it only reaches to the right."""
        found: dict[int, int] = {}
        for (top, left), (bottom, right) in self.merges:
            high = bottom - top + 1
            wide = right > left and high == 1 and right - left + 1 < len(self._values[top]) if top < self.height else False
            found[top] = max(found.get(top, 1), 2 if wide else high)
        return found


def _shaped(values: list[list[Any]], first: int, width: int, judge: Judge, tally: Tally) -> tuple[list[list[str]], list[int], list[Broken]]:
    """Rows as wide as the headings, their lines, and those that say more than the headings or more than Excel keeps."""
    rows: list[list[str]] = []
    lines: list[int] = []
    broken: list[Broken] = []
    for line, row in enumerate(values, first + 1):
        cells = [text_of(value) for value in row]
        if any(cell.strip() for cell in cells[width:]):
            if word := judge.word(cells):
                tally.leave(word)
            else:
                broken.append(Broken(line, "\t".join(cells), (faults.MORE,)))
        elif any(imprecise(value) for value in row):
            broken.append(Broken(line, "\t".join(cells), (faults.IMPRECISE,)))
        else:
            rows.append([*cells[:width], *[""] * (width - len(cells))])
            lines.append(line)
    return rows, lines, broken
