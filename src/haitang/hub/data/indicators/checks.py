"""What `haitang check` says about indicators, and how their spec tables are run."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from haitang.base.clock import CHINA
from haitang.base.declarations.checks import Context, Problem, check
from haitang.base.declarations.spec import Failure, Row, SpecTable, Table, spec
from haitang.base.errors import HaitangError
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.sources import read
from haitang.hub.data.indicators import relations, sql
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.lake.connection import plain


def _columns(indicator: Indicator, context: Context) -> dict[str, list[str] | None]:
    """What the indicator may read: table -> columns; None where they cannot be told."""
    if indicator.over == "cases":
        return {name: list(found.columns) for name, found in relations.registered.items()}
    return {id: _selected(derive, context) for id, derive in context.all(Derive).items()}


def _selected(derive: Derive, context: Context) -> list[str] | None:
    try:
        names = read(derive.sql, context.declarations).tree.named_selects
    except HaitangError:
        return None
    return None if "*" in names else list(names)


@check(Indicator)
def value_reads(indicator: Indicator, context: Context) -> Iterable[Problem]:
    """`value` is one SELECT of one number over what may be read, `by` names columns of it, `records` one of its tables."""
    tables = _columns(indicator, context)
    if indicator.over == "cases" and not tables:
        return  # the business platform is not installed in this process
    known = "、".join(sorted(tables)) or "无"
    if indicator.records not in tables:
        yield Problem("records", f"没有可追溯的数据“{indicator.records}”", f"可用的有：{known}")
    try:
        tree = sql.parse(indicator.value, tables)
    except HaitangError as reason:
        yield Problem("value", reason.sentence, "例如：select avg(pm2_5) from air_day where day >= start_of_year()")
        return
    read = [tables[name] for name in sql.tables_in(tree)]
    columns = {column for found in read for column in found or ()}
    if None in read:
        return
    for position, dimension in enumerate(indicator.by):
        if dimension not in columns:
            yield Problem(f"by.{position}", f"“{dimension}”不是所读数据的列", f"可用的有：{'、'.join(sorted(columns))}")
    for column in sql.columns_in(tree):
        if column not in columns:
            yield Problem("value", f"所读数据没有列“{column}”", f"可用的有：{'、'.join(sorted(columns))}")


@spec("indicator")
def run_table(indicator: Indicator, table: SpecTable) -> list[Failure]:
    """Compute the number over `given` (rows of its table) at option `now` and compare.

    `expect` has the column `value`; with a column of `by` (`station`) the rows are its members in order. Times are China's; a cell `-` is missing.
    """
    now = datetime.fromisoformat(str(table.options.get("now", "2026-07-01 08:00"))).replace(tzinfo=CHINA)
    over_lake = indicator.over == "lake"
    try:
        names = list(table.declarations.all(Derive)) if over_lake else [indicator.records]
        tree = sql.parse(indicator.value, names)
        dimension = next((name for name in table.expect.columns if name in indicator.by), None)
        statement = sql.by_member(tree, now, dimension, dates=over_lake) if dimension else sql.total(tree, now, dates=over_lake)
        found = _run(statement, sql.tables_in(tree), table.given)
    except (HaitangError, ValueError) as reason:
        return [Failure(f"算不出来：{reason}")]
    return _compare(found, list(table.expect), dimension, indicator.digits)


def _run(statement: str, tables: set[str], given: Table) -> list[dict[str, Any]]:
    connection = plain()
    try:
        rows = _arrow(given)
        for name in tables:
            connection.register(name, rows)
        cursor = connection.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        connection.close()


def _arrow(given: Table) -> Any:
    columns = {name: [_value(row[name]) for row in given] for name in given.columns}
    empty = {name: pa.float64() for name, values in columns.items() if all(v is None for v in values)}
    return pa.table({name: pa.array(values, empty.get(name)) for name, values in columns.items()})


def _value(text: str | None) -> Any:
    """A cell as number, truth, date, time or text."""
    if text is None or text in ("true", "false"):
        return None if text is None else text == "true"
    for as_value in (float, date.fromisoformat, lambda t: datetime.fromisoformat(t).replace(tzinfo=CHINA)):
        try:
            return as_value(text)
        except ValueError:
            continue
    return text


def _compare(found: list[dict[str, Any]], expected: list[Row], dimension: str | None, digits: int) -> list[Failure]:
    def shown(value: Any) -> str | None:
        return None if value is None else f"{float(value):.{digits}f}"

    failures = [] if len(found) == len(expected) else [Failure(f"应有 {len(expected)} 个值，得到 {len(found)} 个")]
    for number, (row, got) in enumerate(zip(expected, found, strict=False)):
        if dimension and row[dimension] != str(got["member"]):
            failures.append(Failure(f"应为 {row[dimension]}，得到 {got['member']}", number))
        elif shown(row["value"]) != shown(got["value"]):
            failures.append(Failure(f"应为 {shown(row['value']) or '-'}，得到 {shown(got['value']) or '-'}", number))
    return failures
