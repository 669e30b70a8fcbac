"""A week of observations of 2,000 devices, as many as a benchmark asks, with their rollups and the twin.

Shortcut: they go straight into the lake and the twin's table with set SQL instead of over the stream (`sensing-*` measures that). Columns, partitions, order within a file and
values are those that the writer leaves; the rollups by hour and day are computed from the rows, those by minute are left out (no figure reads them). Blocks carry no root of
their rows, so this evidence would not verify; no read looks at it.
"""

import time
from datetime import UTC, datetime, timedelta

from bench import city

DEVICES, DAYS = 2000, 7
SERIES = DEVICES * city.PROPERTIES
_MICROS = 86_400_000_000


def until() -> datetime:
    """The end of the history: the last whole hour."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def fill(rows: int) -> float:
    """About `rows` observations over the last seven days, of fewer devices where there are too few; gives the seconds."""
    from haitang.hub.data.lake.connection import writer
    from haitang.hub.data.lake.transaction import transaction

    began, lake, end = time.monotonic(), writer(), until()
    lake.execute("set preserve_insertion_order = false")
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
    """One day: every series a reading each so many seconds, in the order of a compacted file (thing, then time)."""
    first, step = int(start.timestamp() * 1e6), _MICROS // each_day
    return f"""
        insert into lake.observations by name
        select '990101' as node, 'bench_thing_' || (s // {city.PROPERTIES}) as thing, 'p' || (s % {city.PROPERTIES}) as property,
               'instant' as statistic, make_timestamptz({first} + n * {step}) as period_start, period_start as period_end, 'ug/m3' as unit,
               'normal' as quality, 'simulated' as origin, '{block}-' || s || '-' || n as source_ref, period_start as received_at,
               ((s * 31 + n * 17) % 10000)::double / 10 as number, null::varchar as text, null::boolean as boolean, null::varchar as geometry,
               'instant' as span, (period_start at time zone 'Asia/Shanghai')::date as day, {block}::bigint as block, (s * {each_day} + n)::integer as block_index,
               'bench' as release
        from range({series}) a(s), range({each_day}) b(n) order by day, thing, period_start"""


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
