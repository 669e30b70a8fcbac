"""The tables of the lake.

`day` is the civil date in China of `period_start` and names the partition. `block` is a number that only grows, one for each evidence block, so that
"what came since" is `block > n` however often files are merged; (block, block_index) leads from a row to its leaf in the block's Merkle tree,
whose nodes join `arity` below them (absent: two).
"""

from typing import Any

from haitang.hub.data.lake.transaction import transaction

ARITY = 16  # of the trees of new blocks of observations: with two, inner nodes would be half of all hashes
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
        written_at timestamptz, release varchar, arity integer""",
    "offsets": "name varchar, first bigint, last bigint, written_at timestamptz",
    "rollup_minute": _ROLLUP,
    "rollup_hour": _ROLLUP,
    "rollup_day": _ROLLUP,
}

# A partition a day keeps a late row from touching other days. A file is sorted so that one thing's history is a short run of rows; observations by property
# first, so that whoever reads one property of everything leaves out the row groups of the others.
PARTITIONED = ("observations", "set_aside", "rollup_minute")
SORTED: dict[str, tuple[str, ...]] = {
    "observations": ("property", "thing", "period_start"),
    "rollup_minute": ("thing", "start"),
    "rollup_hour": ("thing", "start"),
    "rollup_day": ("thing", "start"),
}
_SORTED_NOW = """
    select table_name, list(replace(expression, '"', '') order by sort_key_index) from __ducklake_metadata_lake.lake.ducklake_table as t
    join __ducklake_metadata_lake.lake.ducklake_sort_info as s using (table_id) join __ducklake_metadata_lake.lake.ducklake_sort_expression using (sort_id)
    where t.end_snapshot is null and s.end_snapshot is null group by table_name"""

_OLD_BLOCKS = (
    """select count(*) filter (column_name = 'arity') = 0 from duckdb_columns() where database_name = 'lake' and table_name = 'blocks'"""
)


def tables(connection: Any) -> set[str]:
    """The names of the tables that the lake has. By their columns: `duckdb_tables` counts the rows of each table as well."""
    rows = connection.execute("select distinct table_name from duckdb_columns() where database_name = 'lake'").fetchall()
    return {name for (name,) in rows}


def ensure(connection: Any) -> None:
    """Make the tables that are missing, in one transaction, and have files sorted as they are to be from now on, in a lake of an earlier release too."""
    missing = TABLES.keys() - tables(connection)
    if missing:
        with transaction(connection):
            for name in TABLES:
                if name in missing:
                    connection.execute(f"create table lake.{name} ({TABLES[name]})")
                    if name in PARTITIONED:
                        connection.execute(f"alter table lake.{name} set partitioned by (day)")
    if connection.execute(_OLD_BLOCKS).fetchone()[0]:  # a lake of a release whose trees were all of two
        with transaction(connection):
            connection.execute("alter table lake.blocks add column arity integer")
    there = {name: tuple(columns) for name, columns in connection.execute(_SORTED_NOW).fetchall()}
    if other := [name for name, columns in SORTED.items() if there.get(name) != columns]:
        with transaction(connection):
            for name in other:
                connection.execute(f"alter table lake.{name} set sorted by ({', '.join(f'{column} asc' for column in SORTED[name])})")
