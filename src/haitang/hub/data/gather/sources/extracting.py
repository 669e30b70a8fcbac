"""Rows of a database as a Parquet file of text, which is gathered like any other file.

By change cursor: rows whose cursor is not below the last one seen, less an overlap for times. Rows that share the last value (ties) and rows of
transactions that commit late are so read again; the resource's key makes them no second row. Rows without a cursor value are read each time.
Without a cursor: all rows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from haitang.base.clock import CHINA
from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers.cells import text_of
from haitang.hub.data.gather.sources.connecting import Address, Reading, reading

Cursor = dict[str, str]  # {"type": ..., "value": ...}: JSON that is stored between pulls
_GROUP = 50_000  # rows of a row group


@dataclass(frozen=True)
class Asked:
    """What is read: a table or a query, and the column by which changes are known."""

    table: str | None = None
    query: str | None = None
    cursor: str | None = None
    overlap: timedelta = timedelta(minutes=10)


@dataclass(frozen=True)
class Extract:
    """What was read into the file: how many rows, and the cursor from which the next pull goes on."""

    rows: int
    cursor: Cursor | None
    columns: tuple[str, ...]


def extract(address: Address, asked: Asked, since: Cursor | None, target: Path) -> Extract:
    """Read into `target` (Parquet, text columns). A pull that fails leaves no file."""
    try:
        with reading(address) as opened:
            return _extract(opened, asked, since, target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _extract(opened: Reading, asked: Asked, since: Cursor | None, target: Path) -> Extract:
    statement, values = _statement(opened, asked, since)
    names, batches = opened.rows(statement, values)
    place = names.index(asked.cursor) if asked.cursor and asked.cursor in names else None
    if asked.cursor and place is None:
        raise faults.NO_CURSOR(source=opened.address.source, column=asked.cursor, columns="、".join(names))
    schema = pa.schema([(name, pa.string()) for name in names])
    rows, last = 0, _value(since)
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            for first in range(0, len(batch), _GROUP):
                part = batch[first : first + _GROUP]
                writer.write_batch(_batch(part, schema))
                rows += len(part)
            if place is not None:
                last = _furthest(last, [row[place] for row in batch], opened.address.source)
    return Extract(rows, _cursor(last), tuple(names))


def _statement(opened: Reading, asked: Asked, since: Cursor | None) -> tuple[str, list[Any]]:
    inner = (asked.query or "").strip().rstrip(";")
    base = f"select * from ({inner}) as asked" if inner else f"select * from {opened.name(asked.table or '')}"
    if not asked.cursor or since is None:
        return base, []
    value = _value(since)
    begin = value - asked.overlap if isinstance(value, datetime) else value
    return opened.where_from(base, opened.name(asked.cursor)), [begin]


def _furthest(last: Any, values: Sequence[Any], source: str) -> Any:
    present = [value for value in values if value is not None]
    if not present:
        return last
    try:
        highest = max(present)
        return highest if last is None else max(last, highest)
    except TypeError:
        raise faults.CURSOR_CHANGED(source=source) from None


def _cursor(value: Any) -> Cursor | None:
    if value is None:
        return None
    kinds = {datetime: "datetime", date: "date", int: "int", float: "float", Decimal: "decimal", str: "text", bytes: "bytes"}
    kind = kinds.get(type(value), "text")
    told = value.isoformat() if isinstance(value, date) else value.hex() if isinstance(value, bytes) else str(value)
    return {"type": kind, "value": told}


_FROM_TEXT = {"datetime": datetime.fromisoformat, "date": date.fromisoformat, "int": int, "float": float, "decimal": Decimal, "text": str, "bytes": bytes.fromhex}  # fmt: skip


def _value(cursor: Cursor | None) -> Any:
    return _FROM_TEXT[cursor["type"]](cursor["value"]) if cursor else None  # type: ignore[operator]


def _batch(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays([pa.array([cell(value) for value in column], pa.string()) for column in columns], schema=schema)


def cell(value: Any) -> str | None:
    """A value of a database as text: times in China's civil time, numbers without an exponent, what is nested as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        local = value.astimezone(CHINA).replace(tzinfo=None) if value.tzinfo else value
        return local.isoformat(" ", "seconds" if not local.microsecond else "microseconds")
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        return data.decode() if _is_text(data) else data.hex()
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return text_of(value)


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


@dataclass(frozen=True)
class Probe:
    """What a test of a connection found."""

    version: str
    columns: tuple[str, ...]
    sample: tuple[tuple[str | None, ...], ...]


def probe(address: Address, asked: Asked, rows: int = 5) -> Probe:
    """Connect, and read a few rows as a pull would."""
    with reading(address) as opened:
        version = opened.version
        statement, _ = _statement(opened, asked, None)
        names, batches = opened.rows(f"{statement} limit {rows}")
        sample = [tuple(cell(value) for value in row) for batch in batches for row in batch]
        if asked.cursor and asked.cursor not in names:
            raise faults.NO_CURSOR(source=address.source, column=asked.cursor, columns="、".join(names))
        return Probe(version, tuple(names), tuple(sample))
