"""The tables of the lake.

`day` is the civil date in China of `period_start` and names the partition. `block` is a number that only grows, one for each evidence block, so that
"what came since" is `block > n` however often files are merged; (block, block_index) leads from a row to its leaf in the block's Merkle tree.
"""

from typing import Any

from haitang.hub.data.lake.transaction import transaction

_ROLLUP = """thing varchar, property varchar, statistic varchar, start timestamptz, day date, count bigint,
             sum double, mean double, min double, max double, last double, last_at timestamptz"""

TABLES: dict[str, str] = {
    "observations": """node varchar, thing varchar, property varchar, statistic varchar, period_start timestamptz, period_end timestamptz,
        unit varchar, quality varchar, origin varchar, source_ref varchar, received_at timestamptz,
        number double, text varchar, boolean boolean, geometry varchar,
        span varchar, day date, block bigint, block_index integer, release varchar""",
    "set_aside": """node varchar, thing varchar, reason varchar, detail varchar, raw varchar, origin varchar, source_ref varchar,
        received_at timestamptz, day date, block bigint, block_index integer, release varchar""",
    "blocks": """id bigint, table_name varchar, rows bigint, root varchar, first_seq bigint, last_seq bigint,
        written_at timestamptz, release varchar""",
    "offsets": "name varchar, first bigint, last bigint, written_at timestamptz",
    "rollup_minute": _ROLLUP,
    "rollup_hour": _ROLLUP,
    "rollup_day": _ROLLUP,
}

# A partition a day keeps a late row from touching other days; a compacted file is sorted so that one thing's history is a short run of rows.
LAYOUT: dict[str, list[str]] = {
    "observations": ["set partitioned by (day)", "set sorted by (thing asc, period_start asc)"],
    "set_aside": ["set partitioned by (day)"],
    "rollup_minute": ["set partitioned by (day)", "set sorted by (thing asc, start asc)"],
    "rollup_hour": ["set sorted by (thing asc, start asc)"],
    "rollup_day": ["set sorted by (thing asc, start asc)"],
}


def tables(connection: Any) -> set[str]:
    """The names of the tables that the lake has. By their columns: `duckdb_tables` counts the rows of each table as well."""
    rows = connection.execute("select distinct table_name from duckdb_columns() where database_name = 'lake'").fetchall()
    return {name for (name,) in rows}


def ensure(connection: Any) -> None:
    """Make the tables that are missing, in one transaction."""
    missing = TABLES.keys() - tables(connection)
    if not missing:
        return
    with transaction(connection):
        for name in TABLES:
            if name in missing:
                connection.execute(f"create table lake.{name} ({TABLES[name]})")
                for layout in LAYOUT.get(name, []):
                    connection.execute(f"alter table lake.{name} {layout}")
