"""Any file as chunks: the format is told by the layout, else by what the file begins with and what it is called."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers.archive import members_of, unpacked
from haitang.hub.data.gather.readers.delimited import read_delimited
from haitang.hub.data.gather.readers.excel import read_excel
from haitang.hub.data.gather.readers.parquet import read_parquet
from haitang.hub.data.gather.readers.records import read_json
from haitang.hub.data.gather.readers.types import Chunk, Layout, Position

Reader = Callable[[Path, Layout, Position | None], Iterator[Chunk]]
_READERS: dict[str, Reader] = {"csv": read_delimited, "excel": read_excel, "json": read_json, "parquet": read_parquet}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # xls
_BINARY = {b"%PDF": "PDF", b"\x89PNG": "PNG", b"Rar!": "RAR", b"7z\xbc\xaf": "7z", b"\xff\xd8\xff": "JPEG", b"SQLi": "SQLite"}


def read(path: Path, layout: Layout | None = None, start: Position | None = None) -> Iterator[Chunk]:
    """Chunks of a file, from its beginning or behind the chunk whose position is given. The last has `done`.

    Raises a HaitangError that says what is wrong and how to mend it where the file cannot be read at all.
    """
    layout = layout or Layout()
    found = layout.format or format_of(path)
    if found != "zip":
        yield from _READERS[found](path, layout, start)
        return
    total = path.stat().st_size
    with unpacked(path, layout.member) as (copy, _):
        inner = layout.model_copy(update={"format": None, "member": None})
        if format_of(copy) == "zip":
            raise faults.UNKNOWN_FORMAT(name=path.name)
        for chunk in read(copy, inner, start):
            yield _as_packed(chunk, total)


def _as_packed(chunk: Chunk, total: int) -> Chunk:
    """Progress in bytes of the archive."""
    read = total if chunk.done else total * chunk.read_bytes // max(chunk.total_bytes, 1)
    return Chunk(
        chunk.columns, chunk.line, chunk.broken, chunk.raw, chunk.position, chunk.file_rows, read, total, chunk.left_out, chunk.done
    )


def format_of(path: Path) -> str:
    """csv, excel, json, parquet or zip. Raises where it is none of these."""
    with path.open("rb") as file:
        head = file.read(64)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "excel" if _is_workbook(path) else "zip"
    if head.startswith(_OLE):
        return "excel"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head[:4] in _BINARY:
        raise faults.UNKNOWN_FORMAT(name=path.name)
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes and suffixes[-1] in (".json", ".jsonl", ".ndjson", ".geojson"):
        return "json"
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return "json" if begins[:1] in (b"[", b"{") and not suffixes else "csv"


def _is_workbook(path: Path) -> bool:
    names = {name for name, _ in members_of(path)}
    return "xl/workbook.xml" in names or "xl/workbook.bin" in names or ("content.xml" in names and "mimetype" in names)


def preview(path: Path, layout: Layout | None = None, rows: int = 20) -> Chunk | None:
    """The first chunk with at most `rows` rows, for a page that shows what would be read."""
    for chunk in islice(read(path, layout), 1):
        return Chunk(
            chunk.columns.slice(0, rows), chunk.line.slice(0, rows), chunk.broken[:rows], chunk.raw, chunk.position,
            chunk.file_rows, chunk.read_bytes, chunk.total_bytes, chunk.left_out, chunk.done,
        )  # fmt: skip
    return None
