"""The SELECT of an indicator: read, held against an allow-list, and turned into what the engines run.

`start_of_year()` and `now()` become constants of the instant of the computation, so that a number can be computed again for the same instant.
"""

from collections.abc import Collection
from datetime import datetime
from functools import cache

import sqlglot
from sqlglot import exp

from haitang.base.clock import CHINA
from haitang.base.errors import error
from haitang.hub.data.derive.sql import FUNCTIONS

BAD_VALUE = error("indicators.bad_value", 400, "指标语句不可用：{reason}")

_ALLOWED = FUNCTIONS | {"now", "current_timestamp", "date", "start_of_year"}


def parse(sql: str, tables: Collection[str]) -> exp.Select:
    """Read `select <one number> from <one of tables> where ...`; raises BAD_VALUE with what is wrong."""
    return _parse(sql, frozenset(tables)).copy()


@cache
def _parse(sql: str, tables: frozenset[str]) -> exp.Select:
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError as reason:
        raise BAD_VALUE(reason=str(reason).splitlines()[0]) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        raise BAD_VALUE(reason="需要恰好一个 SELECT 语句")
    tree = statements[0]
    if len(tree.expressions) != 1 or isinstance(tree.expressions[0], exp.Star):
        raise BAD_VALUE(reason="只能选出一个数")
    for clause in ("with", "with_", "group", "limit", "offset", "order", "into", "locks"):
        if tree.args.get(clause):
            raise BAD_VALUE(reason=f"不能使用 {clause.rstrip('_')}；分组请写在 by")
    _allowed(tree, tables)
    return tree


def _allowed(tree: exp.Select, tables: frozenset[str]) -> None:
    found = list(tree.find_all(exp.Table))
    if not found:
        raise BAD_VALUE(reason="没有 FROM")
    for table in found:
        if not isinstance(table.this, exp.Identifier) or table.db or table.catalog or table.name not in tables:
            raise BAD_VALUE(reason=f"不能读取 {table.sql()}，可用：{'、'.join(sorted(tables)) or '无'}")
    for call in tree.find_all(exp.Func):
        name = str(call.this).lower() if isinstance(call, exp.Anonymous) else call.sql_name().lower()
        if name not in _ALLOWED:
            raise BAD_VALUE(reason=f"不能使用函数 {name}")


def tables_in(tree: exp.Select) -> set[str]:
    """The tables that a statement reads."""
    return {table.name for table in tree.find_all(exp.Table)}


def columns_in(tree: exp.Select) -> list[str]:
    """The columns that a statement names."""
    return [column.name for column in tree.find_all(exp.Column)]


def _at(tree: exp.Select, at: datetime, dates: bool) -> exp.Select:
    """The tree with `now()` and `start_of_year()` as constants; `dates`: the year starts with a date, not an instant."""
    local = at.astimezone(CHINA)
    year = f"date '{local.year}-01-01'" if dates else f"timestamptz '{local.year}-01-01 00:00:00+08:00'"

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.CurrentTimestamp) or (isinstance(node, exp.Anonymous) and str(node.this).lower() == "now"):
            return sqlglot.parse_one(f"timestamptz '{at.isoformat()}'", dialect="duckdb")
        if isinstance(node, exp.Anonymous) and str(node.this).lower() == "start_of_year":
            return sqlglot.parse_one(year, dialect="duckdb")
        return node

    return tree.transform(change)  # type: ignore[return-value]


def total(tree: exp.Select, at: datetime, *, dates: bool, dialect: str = "duckdb") -> str:
    """SQL of the number: one row, column `value`."""
    asked = _at(tree, at, dates)
    return asked.select(exp.alias_(_number(asked), "value"), append=False).sql(dialect=dialect)


def by_member(tree: exp.Select, at: datetime, dimension: str, *, dates: bool, dialect: str = "duckdb") -> str:
    """SQL of the number for each member of a dimension: columns `member` and `value`."""
    asked = _at(tree, at, dates)
    column = exp.column(dimension, quoted=True)
    chosen = asked.select(exp.alias_(column, "member"), exp.alias_(_number(asked), "value"), append=False)
    return (
        chosen.where(exp.Not(this=exp.Is(this=column.copy(), expression=exp.Null())))
        .group_by(column.copy())
        .order_by("member")
        .sql(dialect=dialect)
    )


def records(
    tree: exp.Select, at: datetime, table: str, order: str, *, dates: bool, where: tuple[str, str] | None = None, dialect: str = "duckdb"
) -> str:
    """SQL of the rows behind the number, newest first: those of `table`, under the number's own WHERE if it reads that table."""
    asked = exp.select("*").from_(exp.to_table(table))
    condition = _at(tree, at, dates).args.get("where")
    if condition is not None and tables_in(tree) == {table}:
        asked = asked.where(condition.this)
    if where:
        asked = asked.where(exp.EQ(this=exp.column(where[0], quoted=True), expression=exp.Literal.string(where[1])))
    return asked.order_by(exp.Ordered(this=exp.column(order, quoted=True), desc=True)).sql(dialect=dialect)


def _number(tree: exp.Select) -> exp.Expr:
    return tree.expressions[0].unalias()  # type: ignore[no-any-return]
