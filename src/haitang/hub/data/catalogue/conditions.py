"""Conditions between the fields of one row: `expires >= issued and area > 0`. A small part of SQL, held against an allow-list."""

from collections.abc import Collection
from functools import cache

import sqlglot
from sqlglot import exp

from haitang.base.errors import error

BAD_CONDITION = error("catalogue.bad_condition", 400, "条件“{text}”不可用：{reason}")

_ALLOWED = (
    exp.And, exp.Or, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Null, exp.Boolean,
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Column, exp.Identifier, exp.Literal, exp.Length, exp.Abs, exp.Coalesce,
)  # fmt: skip


@cache
def parse(text: str) -> exp.Expression:
    """The condition as an expression over columns; raises BAD_CONDITION."""
    try:
        tree = sqlglot.parse_one(f"select 1 where {text}", dialect="duckdb")
    except sqlglot.errors.SqlglotError as reason:
        raise BAD_CONDITION(text=text, reason=str(reason).splitlines()[0]) from None
    if not isinstance(tree, exp.Select) or set(tree.args) - {name for name, value in tree.args.items() if not value} != {
        "expressions",
        "where",
    }:
        raise BAD_CONDITION(text=text, reason="只写一个条件")
    condition: exp.Expression = tree.args["where"].this
    for node in condition.walk():
        if not isinstance(node, _ALLOWED) or (isinstance(node, exp.Column) and node.table):
            raise BAD_CONDITION(
                text=text, reason=f"不能用 {node.sql(dialect='duckdb')}，可用的有字段、数、比较、and、or、not、between、in、is null"
            )
    return condition


def fields_of(text: str) -> Collection[str]:
    """The fields that a condition compares."""
    return dict.fromkeys(column.name for column in parse(text).find_all(exp.Column))


def sql(text: str) -> str:
    """The condition as DuckDB runs it; null where a compared field is missing."""
    return parse(text).sql(dialect="duckdb", identify=True)
