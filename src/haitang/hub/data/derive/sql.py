"""The SQL of derivations: one SELECT over named sources with an allowed set of functions, read with sqlglot.

Deny by default: a function that is neither listed here nor in the owner's functions.py is refused, and so is everything that is not a query. The list keeps
to what DuckDB and Spark compute alike.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from haitang.base import clock
from haitang.base.clock import now
from haitang.base.errors import error
from haitang.base.text import Saying
from haitang.hub.data.lake.buckets import CHINA, WIDTH, date_sql
from haitang.hub.data.lake.schema import TABLES

BAD_SQL = error("derive.bad_sql", 400, "派生语句不可用：{reason}")

TABLE_FUNCTIONS = ("hour_means_of", "day_means_of")

FUNCTIONS = frozenset(
    [
        "and",
        "or",
        "xor",
        "case",
        "if",
        "cast",
        "try_cast",
        "coalesce",
        "nullif",
        "greatest",
        "least",
        "abs",
        "round",
        "floor",
        "ceil",
        "sqrt",
        "pow",
        "power",
        "ln",
        "log",
        "exp",
        "sign",
        "mod",
        "sum",
        "avg",
        "min",
        "max",
        "count",
        "count_if",
        "arg_max",
        "arg_min",
        "any_value",
        "median",
        "stddev",
        "stddev_samp",
        "stddev_pop",
        "variance",
        "variance_pop",
        "row_number",
        "rank",
        "dense_rank",
        "lag",
        "lead",
        "first_value",
        "last_value",
        "concat",
        "lower",
        "upper",
        "trim",
        "length",
        "substring",
        "day_of",
        "hour_of_day",
        "start_of_year",
    ]
)

# Words of the house that stand for bucket arithmetic: the civil date and hour of the day in China, and the first day of the running year.
_OWN: dict[str, Callable[..., str]] = {
    "day_of": lambda time: date_sql(time),
    "hour_of_day": lambda time: f"((epoch_us({time}) + {CHINA}) // {WIDTH['hour']} % 24)",
    "start_of_year": lambda: f"date '{now().astimezone(clock.CHINA).year}-01-01'",
}


@dataclass(frozen=True)
class Source:
    """What follows FROM. `kind`: the table function (`name` is the device type), derive (a derivation's id), resource (its id) or lake (a table)."""

    kind: Literal["hour_means_of", "day_means_of", "derive", "resource", "lake"]
    name: str

    @property
    def word(self) -> str:
        return f"{self.kind}('{self.name}')" if self.kind in TABLE_FUNCTIONS else self.name


@dataclass(frozen=True)
class Parsed:
    """A statement that was read: its sources, and the functions that the owner's functions.py must have."""

    tree: exp.Query
    sources: tuple[Source, ...]
    functions: frozenset[str]


def parse(sql: str, derivations: Collection[str], resources: Collection[str] = ()) -> Parsed:
    """Read a statement; raises BAD_SQL with what is wrong. `derivations` and `resources` are the ids that may follow FROM."""
    return _parse(sql, frozenset(derivations), frozenset(resources))


@cache
def _parse(sql: str, derivations: frozenset[str], resources: frozenset[str]) -> Parsed:
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError as reason:
        raise BAD_SQL(reason=str(reason).splitlines()[0]) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise BAD_SQL(reason=Saying("需要恰好一个 SELECT 语句"))
    tree = statements[0]
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = [table for table in tree.find_all(exp.Table) if not (isinstance(table.this, exp.Identifier) and table.name in own)]
    sources = tuple(dict.fromkeys(_source(table, derivations, resources) for table in tables))
    return Parsed(tree, sources, frozenset(_functions(tree)))


def _source(table: exp.Table, derivations: frozenset[str], resources: frozenset[str]) -> Source:
    if table.db or table.catalog:
        raise BAD_SQL(reason=Saying("不能引用 {name}：只写表名", name=table.sql()))
    call = table.this
    if isinstance(call, exp.Anonymous):
        name, arguments = str(call.this).lower(), call.expressions
        if name not in TABLE_FUNCTIONS or len(arguments) != 1 or not isinstance(arguments[0], exp.Literal) or not arguments[0].is_string:
            raise BAD_SQL(
                reason=Saying("FROM 后不能用 {name}，可用 hour_means_of('设备类型') 和 day_means_of('设备类型')", name=call.sql())
            )
        return Source(name, arguments[0].this)  # type: ignore[arg-type]
    if not isinstance(call, exp.Identifier):
        raise BAD_SQL(reason=Saying("FROM 后不能用 {name}", name=table.sql()))
    if table.name in derivations:
        return Source("derive", table.name)
    if table.name in TABLES:
        return Source("lake", table.name)
    if table.name in resources:
        return Source("resource", table.name)
    raise BAD_SQL(reason=Saying("没有名为 {name} 的派生数据、数据资源或数据湖表", name=table.name))


def _functions(tree: exp.Expr) -> set[str]:
    """Names that functions.py must have; raises BAD_SQL for a function of the engine that is not allowed."""
    asked: set[str] = set()
    for call in tree.find_all(exp.Func):
        if isinstance(call.parent, exp.Table):
            continue
        if isinstance(call, exp.Anonymous):
            name = str(call.this).lower()
            if name not in FUNCTIONS:
                asked.add(name)
        elif call.sql_name().lower() not in FUNCTIONS:
            raise BAD_SQL(reason=Saying("不能使用函数 {name}", name=call.sql_name().lower()))
    return asked


def condition(text: str) -> exp.Expr:
    """A condition over columns, as in `tests`; raises BAD_SQL."""
    tree = parse(f"select 1 from observations where {text}", ()).tree
    if tree.find(exp.Subquery) or len(list(tree.find_all(exp.Table))) != 1:
        raise BAD_SQL(reason=Saying("条件“{text}”只能比较列和数值", text=text))
    return tree.args["where"].this  # type: ignore[no-any-return]


def render(parsed: Parsed, relation: Callable[[Source], str], function: Callable[[str], str]) -> str:
    """The statement as DuckDB runs it: each source becomes the query `relation` gives, each function of functions.py the name `function` gives."""
    own = {cte.alias for cte in parsed.tree.find_all(exp.CTE)}
    sources = {source.word: source for source in parsed.sources}

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table):
            return _changed_table(node, own, sources, relation)
        if isinstance(node, exp.Anonymous) and not isinstance(node.parent, exp.Table):
            return _changed_call(node, function, change)
        return node

    return parsed.tree.copy().transform(change).sql(dialect="duckdb")


def _changed_table(table: exp.Table, own: set[str], sources: dict[str, Source], relation: Callable[[Source], str]) -> exp.Expr:
    if isinstance(table.this, exp.Identifier) and table.name in own:
        return table
    call = table.this
    word = f"{str(call.this).lower()}('{call.expressions[0].this}')" if isinstance(call, exp.Anonymous) else table.name
    source = sources[word]
    query: Any = sqlglot.parse_one(relation(source), dialect="duckdb")
    subquery = query.subquery(table.alias or source.name)
    subquery.set("joins", table.args.get("joins"))
    return subquery  # type: ignore[no-any-return]


def _changed_call(call: exp.Anonymous, function: Callable[[str], str], change: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """A call under its name in DuckDB. What stands inside is changed here, because a replaced node is not walked into."""
    name = str(call.this).lower()
    inside = [argument.transform(change) for argument in call.expressions]
    if name in _OWN:
        arguments = [argument.sql(dialect="duckdb") for argument in inside]
        return sqlglot.parse_one(_OWN[name](*arguments), dialect="duckdb")
    return exp.Anonymous(this=call.this if name in FUNCTIONS else function(name), expressions=inside)
