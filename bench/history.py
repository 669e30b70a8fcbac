"""A week of observations of 2,000 devices, as many as a benchmark asks, with their rollups and the twin.

Shortcut: they go straight into the lake and the twin's table with set SQL instead of over the stream (`sensing-*` measures that). Columns, partitions, order within a file and
values are those that the writer leaves, and the files are merged as it does within a minute; the rollups by hour and day are computed from the rows, those by minute are left out (no figure reads them). Blocks carry no root of
their rows, so this evidence would not verify; no read looks at it.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import cache

from bench import city
from bench.instance import left_at_rest, merged, tried
from haitang.hub.data.lake.buckets import WIDTH, date_sql, start_sql

DEVICES, DAYS = 2000, 7


@cache
def until() -> datetime:
    """The end of the history: the last whole hour when it was first asked."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def fill(rows: int) -> float:
    """About `rows` observations over the last seven days, of fewer devices where there are too few; gives the seconds."""
    from haitang.hub.data.lake.connection import writer
    from haitang.hub.data.lake.transaction import transaction

    began, lake, end = time.monotonic(), writer(), until()
    lake.execute("set memory_limit = '4GB'")  # whole days at once, in order
    things = max(1, min(DEVICES, rows // DAYS // city.PROPERTIES))
    each_day = rows // (things * city.PROPERTIES) // DAYS
    for back in range(DAYS, 0, -1):
        start = end - timedelta(days=back)
        with transaction(lake, "observations", "blocks"):
            block = lake.execute("select coalesce(max(id), 0) + 1 from lake.blocks").fetchone()[0]
            lake.execute(_observations(start, things, each_day, block))
            count = things * city.PROPERTIES * each_day
            lake.execute(f"insert into lake.blocks values ({block}, 'observations', {count}, repeat('0', 64), 0, 0, now(), 'bench', null)")

    def rolled_up() -> None:
        with transaction(lake, "rollup_hour", "rollup_day"):
            lake.execute(_hours())
            lake.execute(_days())

    tried(rolled_up)
    merged(lake)
    _twin(end)
    return left_at_rest(lake, began)


def empty() -> None:
    """Take it away again."""
    from haitang.hub.data.lake.connection import writer

    lake = writer()
    for table in ("observations", "rollup_hour", "rollup_day"):
        tried(lambda table=table: lake.execute(f"delete from lake.{table}"))  # type: ignore[misc]
    lake.close()


def _observations(start: datetime, things: int, each_day: int, block: int) -> str:
    """One day: every series a reading each so many seconds, made in the order of a compacted file (property, thing, time), so that nothing need be sorted."""
    first, step = int(start.timestamp() * 1e6), WIDTH["day"] // each_day
    names = sorted(city.thing(number) for number in range(things))
    return _INSERT.format(
        first=first, step=step, block=block, rows=things * city.PROPERTIES * each_day, each_day=each_day, of_property=each_day * things,
        things="[" + ", ".join(f"'{thing}'" for thing in names) + "]", count=things, day=date_sql("period_start"),
    )  # fmt: skip


_INSERT = """
    insert into lake.observations by name
    select '990101' as node, thing, 'p' || p as property, 'instant' as statistic, make_timestamptz({first} + n * {step}) as period_start,
           period_start as period_end, 'ug/m3' as unit, 'normal' as quality, 'simulated' as origin, '{block}-' || i as source_ref,
           period_start as received_at, ((i * 31 + n * 17) % 10000)::double / 10 as number, null::varchar as text, null::boolean as boolean,
           null::varchar as geometry, 'instant' as span, {day} as day, {block}::bigint as block, i::integer as block_index, 'bench' as release
    from (select i, i // {of_property} as p, i % {each_day} as n, ({things})[1 + i // {each_day} % {count}] as thing from range({rows}) a(i))"""


def _hours() -> str:
    start = start_sql("period_start", "hour")
    return f"""
        insert into lake.rollup_hour by name
        select thing, property, 'instant' as statistic, {start} as start, any_value(day) as day, count(*) as count, sum(number) as sum,
               avg(number) as mean, min(number) as min, max(number) as max, arg_max(number, period_start) as last, max(period_start) as last_at
        from lake.observations group by thing, property, {start} order by thing, start"""


def _days() -> str:
    start = start_sql("start", "day")
    return f"""
        insert into lake.rollup_day by name
        select thing, property, statistic, {start} as start, any_value(day) as day, sum(count)::bigint as count, sum(sum) as sum,
               sum(sum) / sum(count) as mean, min(min) as min, max(max) as max, arg_max(last, last_at) as last, max(last_at) as last_at
        from lake.rollup_hour group by thing, property, statistic, {start} order by thing, start"""


def _twin(end: datetime) -> None:
    from django.db import connection

    from haitang.support.infrastructure.twin.models import Reading

    with connection.cursor() as cursor:
        cursor.execute(f"truncate {Reading._meta.db_table}")
        cursor.execute(
            f"insert into {Reading._meta.db_table} (thing, property, statistic, node, unit, quality, origin, source_ref, period_start, period_end, "
            "received_at, number) select 'bench_thing_' || t, 'p' || p, 'instant', '990101', 'ug/m3', 'normal', 'simulated', 'bench-' || t || '-' || p, "
            f"%s, %s, %s, (t * 31 + p) %% 1000 from generate_series(0, {DEVICES - 1}) t, generate_series(0, {city.PROPERTIES - 1}) p",
            [end, end, end],
        )
        cursor.execute(f"analyze {Reading._meta.db_table}")
