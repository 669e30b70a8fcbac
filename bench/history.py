"""A week of observations of 2,000 devices, as many as a benchmark asks, with their rollups and the twin.

Shortcut: they go straight into the lake and the twin's table with set SQL instead of over the stream (`sensing-*` measures that). Columns, partitions, order within a file and
values are those that the writer leaves; the rollups by hour and day are computed from the rows, those by minute are left out (no figure reads them). Blocks carry no root of
their rows, so this evidence would not verify; no read looks at it.
"""

import time
from datetime import UTC, datetime, timedelta
from functools import cache

from bench import city

DEVICES, DAYS = 2000, 7
SERIES = DEVICES * city.PROPERTIES
_MICROS = 86_400_000_000


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
    series = min(SERIES, rows // DAYS)
    each_day = rows // series // DAYS
    for back in range(DAYS, 0, -1):
        start = end - timedelta(days=back)
        with transaction(lake, "observations", "blocks"):
            block = lake.execute("select coalesce(max(id), 0) + 1 from lake.blocks").fetchone()[0]
            lake.execute(_observations(start, series, each_day, block))
            count = series * each_day
            lake.execute(f"insert into lake.blocks values ({block}, 'observations', {count}, repeat('0', 64), 0, 0, now(), 'bench')")
    with transaction(lake, "rollup_hour", "rollup_day"):
        lake.execute(_rollup("hour"))
        lake.execute(_rollup("day"))
    lake.close()
    _twin(end)
    return time.monotonic() - began


def empty() -> None:
    """Take it away again."""
    from haitang.hub.data.lake.connection import writer

    lake = writer()
    for table in ("observations", "rollup_hour", "rollup_day"):
        lake.execute(f"delete from lake.{table}")
    lake.close()


def _observations(start: datetime, series: int, each_day: int, block: int) -> str:
    """One day: every series a reading each so many seconds, made in the order of a compacted file (thing, then time), so that nothing need be sorted."""
    first, step = int(start.timestamp() * 1e6), _MICROS // each_day
    things = sorted(city.thing(number) for number in range(-(-series // city.PROPERTIES)))
    return _INSERT.format(
        first=first, step=step, block=block, rows=series * each_day, each_day=each_day, per=city.PROPERTIES, of_thing=each_day * city.PROPERTIES,
        things="[" + ", ".join(f"'{thing}'" for thing in things) + "]",
    )  # fmt: skip


_INSERT = """
    insert into lake.observations by name
    select '990101' as node, thing, 'p' || p as property, 'instant' as statistic, make_timestamptz({first} + n * {step}) as period_start,
           period_start as period_end, 'ug/m3' as unit, 'normal' as quality, 'simulated' as origin, '{block}-' || i as source_ref,
           period_start as received_at, ((i * 31 + n * 17) % 10000)::double / 10 as number, null::varchar as text, null::boolean as boolean,
           null::varchar as geometry, 'instant' as span, (period_start at time zone 'Asia/Shanghai')::date as day, {block}::bigint as block,
           i::integer as block_index, 'bench' as release
    from (select i, i % {per} as p, i // {per} % {each_day} as n, ({things})[1 + i // {of_thing}] as thing from range({rows}) a(i))"""


def _rollup(unit: str) -> str:
    start = "date_trunc('hour', period_start)" if unit == "hour" else "(day::timestamp at time zone 'Asia/Shanghai')"
    return f"""
        insert into lake.rollup_{unit} by name
        select thing, property, 'instant' as statistic, {start} as start, any_value(day) as day, count(*) as count, sum(number) as sum,
               avg(number) as mean, min(number) as min, max(number) as max, arg_max(number, period_start) as last, max(period_start) as last_at
        from lake.observations group by thing, property, {start} order by thing, start"""


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
