"""Mending by a file: the quarantined rows of a run go out as a table, and come back as people corrected them."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import xlsxwriter

from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.text import translate
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import readers
from haitang.hub.data.gather.judge.reasons import said
from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.gather.readers.types import Chunk
from haitang.hub.data.gather.trying import try_chunk

NUMBER, LINE, REASONS, RAW = "隔离行编号", "行", "理由", "原文"  # in every language: the file comes back
NOT_OURS = error("gather.not_quarantine_file", 422, "文件里没有“{column}”一列。请下载本任务的隔离行，在那个文件里修改。")
NOT_NUMBERS = error("gather.not_quarantine_rows", 422, "文件里的“{column}”不属于这个采集任务。请核对是不是下载自别的任务。")
NO_COLUMN = error("gather.quarantine_column_missing", 422, "文件缺少列：{columns}。请保留下载文件里的所有列。")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST = 100_000

Given = tuple[int, dict[str, str]]  # number of the quarantined row, heading -> text


def headings(run: Run) -> list[str]:
    """The columns that a corrected file must carry: those that are understood, once each."""
    mapped = [each for heading in run.columns.values() for each in ([heading] if isinstance(heading, str) else heading)]
    return list(dict.fromkeys(mapped))


def table(run: Run, rows: Sequence[Held]) -> Iterator[list[str]]:
    """The heading, then a line for each row: as it came, or as somebody mended it and it is still wrong."""
    columns = headings(run)
    resource = in_force().all(Resource).get(run.resource)
    titles = {name: field.title for name, field in resource.fields.items()} if resource else {}
    yield [NUMBER, LINE, REASONS, RAW, *columns]
    for row in rows:
        cells = row.mended or row.cells
        reasons = "；".join(f"{translate(titles.get(r['field'], ''))} {said(r)}".strip() for r in row.reasons)
        yield [str(row.pk), str(row.line), reasons, row.raw.strip(), *(cells.get(name) or "" for name in columns)]


def as_csv(run: Run, rows: Sequence[Held]) -> bytes:
    """UTF-8 with a mark, for Excel and WPS; no cell is taken for a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([[_safe(cell) for cell in line] for line in table(run, rows)])
    return out.getvalue().encode("utf-8-sig")


def as_excel(run: Run, rows: Sequence[Held]) -> bytes:
    """A workbook of text cells: leading zeros and long codes stay."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("隔离行")
    text, grey = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bg_color": "#eeeeee"})
    for number, line in enumerate(table(run, rows)):
        for column, cell in enumerate(line):
            sheet.write_string(number, column, _safe(cell)[:32_000], grey if column < 4 or number == 0 else text)
    sheet.set_column(0, 1, 12)
    sheet.set_column(2, 3, 40)
    sheet.set_column(4, 4 + len(headings(run)), 18, text)
    sheet.freeze_panes(1, 1)
    book.close()
    return out.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def _unsafe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def given(run: Run, path: Path) -> list[Given]:
    """The rows of a corrected file; raises NOT_OURS, NO_COLUMN, and what a reader says of a file that it cannot read."""
    found: list[Given] = []
    for chunk in readers.read(path):
        names = list(chunk.columns.schema.names)
        if NUMBER not in names:
            raise NOT_OURS(column=NUMBER)
        if missing := [name for name in headings(run) if name not in names]:
            raise NO_COLUMN(columns="、".join(missing))
        for row in chunk.columns.to_pylist():
            number = (row.get(NUMBER) or "").strip().removesuffix(".0")
            cells = {name: _unsafe(row.get(name) or "") for name in headings(run)}
            found.append((int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0, cells))
    return found


def judge(run: Run, rows: Sequence[tuple[Held, dict[str, str]]]) -> dict[int, list[dict[str, Any]]]:
    """Row -> why it would be refused again; nothing for what would be accepted. Rows of one file are judged together: keys must differ."""
    resource, columns = in_force().get(Resource, run.resource), headings(run)
    batch = pa.RecordBatch.from_pydict({name: pa.array([cells.get(name) or None for _, cells in rows], pa.string()) for name in columns})
    numbers = pa.array([row.pk for row, _ in rows], pa.int64())
    chunk = Chunk(batch, numbers, [], lambda wanted: [""] * len(wanted), {}, len(rows), 0, 0, done=True)
    return {refused.line: refused.reasons for refused in try_chunk(resource, run.columns, chunk).refused}
