"""Rollups by minute, hour and China day, so that a chart of a year answers at once.

Incremental: the blocks that came since the last run say which minutes are touched; those are computed anew from the readings in force, the hours from the
minutes and the days from the hours, in one transaction with the position. So late data lands in its bucket and a correction replaces what it corrects.
A bucket whose readings are all missing stays, with count 0 and no values.
"""

from heapq import nlargest
from itertools import pairwise
from typing import Any

from haitang.hub.data.lake import offsets
from haitang.hub.data.lake.buckets import WIDTH, Unit, date_sql, instant, start_sql
from haitang.hub.data.lake.readings import DECLARED, VALID, in_force
from haitang.hub.data.lake.transaction import transaction

NAME = "rollup"
_KEYS = "thing, property, statistic, start"
_MOST_STRETCHES = 8
_LADDER: tuple[tuple[Unit, Unit], ...] = (("minute", "hour"), ("hour", "day"))


def update(connection: Any, position: int) -> int:
    """Bring the rollups up to block `position`; returns the number of minutes computed anew."""
    since = offsets.load(connection, NAME).last
    if since >= position:
        return 0
    connection.execute(
        f"create or replace temp table touched_minute as select distinct thing, property, {DECLARED} as statistic, "
        f"{start_sql('period_start', 'minute')} as start, day from lake.observations where block > ? and block <= ?",
        [since, position],
    )
    touched: int = connection.execute("select count(*) from touched_minute").fetchone()[0]
    with transaction(connection, "rollup_minute", "rollup_hour", "rollup_day", "offsets"):
        if touched:
            _minutes(connection, position)
            for lower, upper in _LADDER:
                _climb(connection, lower, upper)
        offsets.reach(connection, NAME, position)
    return touched


def _days(connection: Any, table: str) -> str:
    """The days of the touched buckets as constants: DuckLake leaves out the files of other days only for constants."""
    rows = connection.execute(f"select distinct day from {table} order by day").fetchall()
    return "day in (" + ", ".join(f"date '{day}'" for (day,) in rows) + ")"


def _stretches(connection: Any, table: str, unit: Unit) -> list[tuple[str, str]]:
    """The touched buckets as few stretches [from, to) of time, as literals: within a day, files and row groups of other times are left out too.

    Live data touch the last minutes and a few late ones; only the widest gaps are worth a stretch of their own.
    """
    starts = [row[0] for row in connection.execute(f"select distinct epoch_us(start) from {table} order by 1").fetchall()]
    widest = nlargest(_MOST_STRETCHES - 1, range(1, len(starts)), key=lambda i: starts[i] - starts[i - 1])
    cuts = [0, *sorted(i for i in widest if starts[i] - starts[i - 1] > WIDTH[unit]), len(starts)]
    return [(_instant(starts[first]), _instant(starts[end - 1] + WIDTH[unit])) for first, end in pairwise(cuts)]


def _instant(micros: int) -> str:
    return f"timestamptz '{instant(micros).isoformat()}'"


def _within(column: str, stretches: list[tuple[str, str]]) -> str:
    return "(" + " or ".join(f"({column} >= {first} and {column} < {last})" for first, last in stretches) + ")"


def _replace(connection: Any, unit: Unit, where: str, rows: str) -> None:
    """Put the touched buckets of one rollup in the place of the old ones."""
    connection.execute(f"create or replace temp table fresh_bucket as {rows}")
    connection.execute(f"delete from lake.rollup_{unit} where {where} and ({_KEYS}) in (select ({_KEYS}) from touched_{unit})")
    connection.execute(f"insert into lake.rollup_{unit} by name select * from fresh_bucket")


def _minutes(connection: Any, position: int) -> None:
    days, stretches = _days(connection, "touched_minute"), _stretches(connection, "touched_minute", "minute")
    touched = f"""(select *, {DECLARED} as declared, {start_sql("period_start", "minute")} as start from lake.observations
                   where {days} and {_within("period_start", stretches)} and block <= {position})"""
    readings = in_force(f"{touched} as stored semi join touched_minute as t on stored.thing = t.thing and stored.property = t.property "
                        "and stored.declared = t.statistic and stored.start = t.start")  # fmt: skip
    valid = f"{VALID} and number is not null"
    rows = f"""
        select thing, property, declared as statistic, start, any_value(day) as day, count(*) filter ({valid}) as count,
               sum(number) filter ({valid}) as sum, avg(number) filter ({valid}) as mean, min(number) filter ({valid}) as min,
               max(number) filter ({valid}) as max, arg_max(number, period_start) filter ({valid}) as last,
               max(period_start) filter ({valid}) as last_at
        from ({readings}) group by thing, property, declared, start"""
    _replace(connection, "minute", f"{days} and {_within('start', stretches)}", rows)


def _climb(connection: Any, lower: Unit, upper: Unit) -> None:
    """Compute the buckets of `upper` over the touched ones of `lower`."""
    start = start_sql("start", upper)
    connection.execute(
        f"create or replace temp table touched_{upper} as select distinct thing, property, statistic, {start} as start, {date_sql('start')} as day "
        f"from touched_{lower}"
    )
    days, stretches = _days(connection, f"touched_{upper}"), _stretches(connection, f"touched_{upper}", upper)
    rows = f"""
        select b.thing, b.property, b.statistic, t.start, any_value(b.day) as day, sum(b.count)::bigint as count,
               sum(b.sum) as sum, sum(b.sum) / nullif(sum(b.count), 0) as mean, min(b.min) as min, max(b.max) as max,
               arg_max(b.last, b.last_at) as last, max(b.last_at) as last_at
        from (select *, {start} as bucket from lake.rollup_{lower} where {days} and {_within("start", stretches)}) as b
        join touched_{upper} as t on b.thing = t.thing and b.property = t.property and b.statistic = t.statistic and b.bucket = t.start
        group by b.thing, b.property, b.statistic, t.start"""
    _replace(connection, upper, f"{days} and {_within('start', stretches)}", rows)
