"""Reads of the lake, for pages, rules and indicators. Every read uses this thread's read-only connection."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache, reduce
from typing import Any, Literal, TypeVar, cast

import duckdb
import pyarrow.compute as pc
import sqlglot
from sqlglot import exp

from haitang.base.actions import permission
from haitang.base.errors import error
from haitang.hub.data.lake import schema
from haitang.hub.data.lake.buckets import WIDTH, Unit, day_literal, day_number, micros, number_sql, start_of_sql
from haitang.hub.data.lake.connection import forget, reader
from haitang.hub.data.lake.readings import DECLARED, VALID, VALUE, in_force, wire

T = TypeVar("T")
Bucket = Literal["raw", "minute", "hour", "day"]

READ = permission("data.read", "查看数据")
NOT_A_SELECT = error("lake.not_a_select", 400, "只能查询（SELECT）数据湖的表：{reason}")
NO_SUCH_TABLE = error("lake.no_such_table", 404, "数据湖里没有表“{name}”。")
BAD_BUCKET = error("lake.bad_bucket", 400, "时间粒度“{bucket}”不可用，请写 raw、minute、hour 或 day。")

TABLE: dict[str, str] = {"raw": "observations", "minute": "rollup_minute", "hour": "rollup_hour", "day": "rollup_day"}
_FINEST: dict[str, str] = {"hour": "hour", "day": "day"}
_REACH: tuple[tuple[timedelta, str], ...] = (
    (timedelta(hours=6), "raw"),
    (timedelta(days=2), "minute"),
    (timedelta(days=120), "hour"),
)


_MOVED = ("does not exist", "No such file", "connection", "terminat")


def on_reader(read: Callable[[Any], T]) -> T:
    """Run `read` on this thread's connection; once more on a new one if the catalogue moved under it (a table made anew, upkeep) or went away for a moment."""
    try:
        return read(reader())
    except duckdb.Error as reason:
        if not any(sign in str(reason) for sign in _MOVED):
            raise
    forget()
    return read(reader())


def dicts(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run SQL of our own and give its rows by column."""

    def read(connection: Any) -> list[dict[str, Any]]:
        cursor = connection.execute(sql, list(params))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return on_reader(read)


def query(sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run one SELECT over tables of the lake; `?` stands for each of `params`. Raises NOT_A_SELECT for anything else."""
    _only_select(sql)
    return dicts(sql, params)


@cache
def _only_select(sql: str) -> None:
    """Only lake tables and the query's own WITH names may follow FROM: no file, no other database."""
    try:
        statements = sqlglot.parse(sql, dialect="duckdb")
    except sqlglot.errors.SqlglotError as reason:
        raise NOT_A_SELECT(reason=str(reason).splitlines()[0]) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise NOT_A_SELECT(reason="需要恰好一个 SELECT 语句")
    own = {cte.alias for cte in statements[0].find_all(exp.CTE)}
    for table in statements[0].find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier) or table.catalog not in ("", "lake") or table.db not in ("", "lake", "main"):
            raise NOT_A_SELECT(reason=table.sql(dialect="duckdb"))
        if table.name not in own and table.name not in schema.TABLES and not table.name.startswith("derived_"):
            raise NO_SUCH_TABLE(name=table.name)


def table_for(statistic: str, start: datetime, end: datetime, bucket: Bucket | None = None) -> str:
    """The table that a series is read from: that of `bucket`, else the finest that keeps a chart readable (about 3,000 points)."""
    if bucket is not None and bucket not in TABLE:
        raise BAD_BUCKET(bucket=bucket)
    if bucket is None:
        order: list[str] = list(TABLE)
        readable = next((name for reach, name in _REACH if end - start <= reach), "day")
        return TABLE[max(readable, _FINEST.get(wire(statistic)[1], "raw"), key=order.index)]
    return TABLE[bucket]


def _days(start: datetime, end: datetime) -> str:
    return f"day between {day_literal(day_number(micros(start)))} and {day_literal(day_number(micros(end)))}"


def series(thing: str, property: str, statistic: str, start: datetime, end: datetime, bucket: Bucket | None = None) -> Any:
    """One property of one thing over [start, end) as an Arrow table: time, count, mean, min, max, last.

    `statistic` as declared (`instant`, `hour mean`). A bucket without a valid value has count 0 and nulls; one without any reading is absent.
    """
    table = table_for(statistic, start, end, bucket)
    if table == "observations":
        return _raw(thing, property, statistic, start, end)
    return on_reader(
        lambda lake: lake.execute(
            f"select start as time, count, mean, min, max, last from lake.{table} "
            f"where thing = ? and property = ? and statistic = ? and start >= ? and start < ? and {_days(start, end)} order by start",
            [thing, property, statistic, start, end],
        ).to_arrow_table()
    )


def _raw(thing: str, property: str, statistic: str, start: datetime, end: datetime) -> Any:
    name, length = wire(statistic)
    return _readings(
        "period_start as time, (value is not null)::bigint as count, value as mean, value as min, value as max, value as last", "time",
        "thing = ? and property = ? and statistic = ? and span = ? and period_start >= ? and period_start < ?",
        [thing, property, name, length, start, end],
    )  # fmt: skip


def readings_of(thing: str, start: datetime, end: datetime) -> Any:
    """Every reading of a thing over [start, end) as an Arrow table: property, statistic as declared, time, value (null where it is not valid or no number)."""
    return _readings(
        f"property, {DECLARED} as statistic, period_start as time, value", "property, statistic, time",
        "thing = ? and period_start >= ? and period_start < ?", [thing, start, end],
    )  # fmt: skip


def _readings(columns: str, order: str, where: str, values: Sequence[Any]) -> Any:
    """Columns of the readings in force (PERIOD, value) that meet a condition.

    When each was received is only looked at where two begin together: to rank them all costs as much as to read them. `where` need not name days: files of other
    days are left out by the times in them, which are compared anyway.
    """
    source = f"(select * from lake.observations where {where})"

    def read(lake: Any, rows: str) -> Any:
        return lake.execute(f"select {columns} from (select *, {VALUE} as value from {rows}) order by {order}", values).to_arrow_table()

    def in_order(lake: Any) -> Any:
        found = read(lake, source)
        return read(lake, f"({in_force(source)})") if _twice(found.select(order.split(", "))) else found

    return on_reader(in_order)


def _twice(ordered: Any) -> bool:
    """Whether a row of an Arrow table says the same as the one before it."""
    columns = [column.combine_chunks() for column in ordered.columns]
    same = reduce(pc.and_, (pc.equal(column[1:], column[:-1]) for column in columns))
    return bool(pc.any(same).as_py())


def of_all(property: str, statistic: str, start: datetime, end: datetime, bucket: str) -> Any:
    """One property of all things together over [start, end) as an Arrow table, one row a bucket: time, count, mean, min, max.

    `hour of raw` and `day of raw` are of the readings as they were stored: one that was corrected since counts as often as it was sent. Raises BAD_BUCKET.
    """
    unit, raw = cast(Unit, bucket.removesuffix(" of raw")), bucket.endswith(" of raw")
    if unit not in WIDTH:
        raise BAD_BUCKET(bucket=bucket)
    rows, values = (_of_all_raw if raw else _of_all_rolled_up)(property, statistic, start, end, unit)
    return on_reader(
        lambda lake: lake.execute(
            f"select time, count, total / nullif(count, 0) as mean, min, max from ({rows}) order by time", values
        ).to_arrow_table()
    )


def _of_all_raw(property: str, statistic: str, start: datetime, end: datetime, unit: Unit) -> tuple[str, list[Any]]:
    """Qualities are few: sorting them out after grouping spares comparing each reading's, as long as DuckDB cannot move the condition to the readings. So does naming no
    days: files of other days are left out by the times in them."""
    grouped = f"""
        select {number_sql("period_start", unit)} as bucket, quality, count(number) as count, sum(number) as total, min(number) as min, max(number) as max
        from lake.observations where property = ? and statistic = ? and span = ? and period_start >= ? and period_start < ? group by all"""
    count, total, least, most = (
        f"{sum}({of}) filter ({VALID})" for sum, of in (("sum", "count"), ("sum", "total"), ("min", "min"), ("max", "max"))
    )
    rows = f"""select {start_of_sql("bucket", unit)} as time, {count}::bigint as count, {total} as total, {least} as min, {most} as max
               from ({grouped}) group by bucket having bool_or({VALID})"""
    return rows, [property, *wire(statistic), start, end]


def _of_all_rolled_up(property: str, statistic: str, start: datetime, end: datetime, unit: Unit) -> tuple[str, list[Any]]:
    rows = f"""select start as time, sum(count)::bigint as count, sum(sum) as total, min(min) as min, max(max) as max
               from lake.rollup_{unit} where property = ? and statistic = ? and start >= ? and start < ? and {_days(start, end)} group by start"""
    return rows, [property, statistic, start, end]


def counts() -> dict[str, Any]:
    """How much the lake holds, from its blocks: rows by table, the last block and when it was written."""
    rows = dicts("select table_name, sum(rows)::bigint as rows from lake.blocks group by table_name")
    last = dicts("select id, written_at from lake.blocks order by id desc limit 1")
    found = {row["table_name"]: row["rows"] for row in rows}
    return {
        "observations": found.get("observations", 0),
        "set_aside": found.get("set_aside", 0),
        "last_block": last[0]["id"] if last else 0,
        "written_at": last[0]["written_at"] if last else None,
    }


def set_aside_recent(limit: int = 100, reason: str | None = None) -> list[dict[str, Any]]:
    """What was set aside, newest first."""
    where = "where reason = ?" if reason else ""
    return dicts(
        f"select * from lake.set_aside {where} order by block desc, block_index desc limit ?", [*([reason] if reason else []), limit]
    )


def observations_page(
    *, thing: str | None = None, property: str | None = None, start: datetime | None = None, end: datetime | None = None,
    after: tuple[int, int] | None = None, limit: int = 100,
) -> list[dict[str, Any]]:  # fmt: skip
    """Observations as they were stored, the newest stored first; `after` is (block, block_index) of the last row of the page before."""
    given: list[tuple[str, Any]] = [
        ("thing = ?", thing),
        ("property = ?", property),
        ("period_start >= ?", start),
        ("period_start < ?", end),
    ]
    parts = [(text, value) for text, value in given if value is not None]
    where, params = [text for text, _ in parts], [value for _, value in parts]
    if start and end:
        where.append(_days(start, end))
    if after:
        where.append("(block < ? or (block = ? and block_index < ?))")
        params += [after[0], after[0], after[1]]
    clause = f"where {' and '.join(where)}" if where else ""
    return dicts(f"select * from lake.observations {clause} order by block desc, block_index desc limit ?", [*params, limit])
