"""Runs spec tables of derivations.

    derive: air_hour
    day: 2026-03-01                  # the date of times written as 08:00
    given: |
      station  hour   pm2_5  o3
      s1       08:00     35   -
    expect: |
      station  hour   aqi
      s1       08:00   50

`given` stands for the one source that the statement reads; columns that it leaves out are missing values. A time is China's; `-` is a missing value.
Rows of a resource have the types of its fields.
"""

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlglot import exp

from haitang.base.clock import CHINA
from haitang.base.declarations.functions import functions_of
from haitang.base.declarations.spec import Failure, SpecTable, Table
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import columns_of
from haitang.hub.data.derive import udf
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.sources import read
from haitang.hub.data.derive.sql import Parsed, render
from haitang.hub.data.lake.connection import plain

TIMES = {"hour": pa.timestamp("us", tz="UTC"), "day": pa.date32(), "start": pa.timestamp("us", tz="UTC")}


def run_table(derive: Derive, table: SpecTable) -> list[Failure]:
    """Compare what the statement gives of `given` with `expect`, row by row in the order of the grain."""
    parsed = read(derive.sql, table.declarations)
    if len(parsed.sources) != 1:
        return [Failure("用例表只支持读取一个来源的派生语句")]
    day = date.fromisoformat(str(table.options.get("day", "2026-03-01")))
    try:
        resource = table.declarations.get(Resource, parsed.sources[0].name) if parsed.sources[0].kind == "resource" else None
        given = _arrow(table.given, parsed, day) if resource is None else _texts(table.given, resource)
        expected = [_typed_row(row, day) for row in table.expect]
    except ValueError as reason:
        return [Failure(f"表里有读不懂的值：{reason}")]
    found = _computed(derive, parsed, table, given, _source(resource))
    return _compare(expected, found, table.expect)


def _computed(derive: Derive, parsed: Parsed, table: SpecTable, given: Any, source: str) -> list[dict[str, Any]]:
    connection = plain()
    connection.register("given", given)
    module = functions_of(derive.owner, table.declarations)
    sql = render(parsed, lambda _: source, lambda name: udf.register(connection, module, derive.owner, name))
    cursor = connection.execute(f"select * from ({sql}) order by {', '.join(derive.grain)}")
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    connection.close()
    return rows


def _value(column: str, text: str | None, day: date) -> Any:
    if text is None:
        return None
    if column == "day":
        return date.fromisoformat(text)
    if column in TIMES:
        return _instant(text, day)
    try:
        return float(text)
    except ValueError:
        return text


def _instant(text: str, day: date) -> datetime:
    """`08:00` on `day` (24:00 is the end of it), or `2026-03-01 08:00`; China time."""
    if len(text) > 5:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    hours, _, minutes = text.partition(":")
    return datetime(day.year, day.month, day.day, tzinfo=CHINA) + timedelta(hours=int(hours), minutes=int(minutes))


def _typed_row(row: dict[str, str | None], day: date) -> dict[str, Any]:
    return {column: _value(column, text, day) for column, text in row.items()}


def _arrow(table: Table, parsed: Parsed, day: date) -> Any:
    """The given rows as Arrow; columns that the statement asks for and the table leaves out are null numbers."""
    rows = [_typed_row(row, day) for row in table]
    columns: dict[str, Any] = {}
    for name in table.columns:
        values = [row[name] for row in rows]
        words = name in ("station", "thing") or any(isinstance(value, str) for value in values)
        type_ = TIMES.get(name) or (pa.string() if words else pa.float64())
        columns[name] = pa.array([str(value) if words and value is not None else value for value in values], type_)
    made = {select.alias for select in parsed.tree.find_all(exp.Alias)}
    for column in parsed.tree.find_all(exp.Column):
        if column.name not in columns and column.name not in made:
            columns[column.name] = pa.nulls(len(rows), TIMES.get(column.name, pa.float64()))
    return pa.table(columns)


def _texts(table: Table, resource: Resource) -> Any:
    return pa.table({name: pa.array([row.get(name) for row in table], pa.string()) for name in columns_of(resource)})


def _source(resource: Resource | None) -> str:
    """SQL of the given rows; those of a resource in the types of its fields."""
    if resource is None:
        return "select * from given"
    return f"select {', '.join(f'cast({chr(34)}{name}{chr(34)} as {type}) as {chr(34)}{name}{chr(34)}' for name, type in columns_of(resource).items())} from given"


def _same(expected: Any, found: Any) -> bool:
    if isinstance(found, date) and not isinstance(found, datetime) and isinstance(expected, str):
        return found.isoformat() == expected
    if isinstance(expected, float) and isinstance(found, int | float | Decimal) and not isinstance(found, bool):
        return math.isclose(expected, float(found), rel_tol=1e-9, abs_tol=1e-9)
    return bool(expected == found or (isinstance(expected, float) and str(found) == f"{expected:g}"))


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(CHINA):%Y-%m-%d %H:%M}"
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _compare(expected: list[dict[str, Any]], found: list[dict[str, Any]], table: Table) -> list[Failure]:
    failures = []
    if found and (missing := [column for column in table.columns if column not in found[0]]):
        return [Failure(f"语句没有选出列 {'、'.join(missing)}")]
    if len(expected) != len(found):
        failures.append(Failure(f"应有 {len(expected)} 行，得到 {len(found)} 行"))
    for number, (wanted, got) in enumerate(zip(expected, found, strict=False)):
        wrong = [f"{name} 应为 {_shown(value)}，得到 {_shown(got[name])}" for name, value in wanted.items() if not _same(value, got[name])]
        if wrong:
            failures.append(Failure("；".join(wrong), number))
    return failures
