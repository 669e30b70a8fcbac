"""The tables of a resource in the lake.

`resource_<id>` holds what is true now, `resource_<id>_past` every version that was replaced or removed, so that each leaf of each evidence block can be made
again. Columns: those of the fields, then

    block, block_index   the evidence block of the version and its leaf in it
    run, line            the gathering run that brought it and its line in the file
    gathered_at          when it was written; release: the declarations that it was checked under
    ended_block, ended_how, ended_at   (past only) what ended it: updated or removed
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from haitang.hub.data.catalogue.kinds import Resource, ResourceField
from haitang.hub.data.lake.schema import tables
from haitang.support.security.evidence import merkle

_TYPES = {
    "integer": "bigint", "number": "double", "boolean": "boolean", "date": "date", "datetime": "timestamptz",
}  # fmt: skip
OWN = {"block": "bigint", "block_index": "integer", "run": "varchar", "line": "bigint", "gathered_at": "timestamptz", "release": "varchar"}
PAST = {"ended_block": "bigint", "ended_how": "varchar", "ended_at": "timestamptz"}
PREFIX = "resource_"


def name_of(id: str) -> str:
    """The table of a resource's current rows."""
    return f"{PREFIX}{id}"


def past_of(id: str) -> str:
    return f"{PREFIX}{id}_past"


def decimal(field: ResourceField) -> str:
    """The exact type of a decimal field."""
    return f"decimal({decimal_digits(field)}, {field.digits})"


def decimal_digits(field: ResourceField) -> int:
    """18 digits in all, which DuckDB computes as fast as whole numbers; 38 where a field has many decimals."""
    return 18 if field.digits <= 6 else 38


def columns_of_field(name: str, field: ResourceField) -> dict[str, str]:
    """Column -> DuckDB type of one field; a point has three."""
    if field.type == "point":
        return {f"{name}_longitude": "double", f"{name}_latitude": "double", f"{name}_division": "varchar"}
    if field.type == "decimal":
        return {name: decimal(field)}
    return {name: _TYPES.get(field.type, "varchar")}


def columns_of(resource: Resource) -> dict[str, str]:
    """Column -> DuckDB type of all fields, in the order of the declaration."""
    return {column: type for name, field in resource.fields.items() for column, type in columns_of_field(name, field).items()}


# Of the tree over the leaves of a block of a resource: with two, its inner nodes would cost as much as the leaves. It tells how a leaf is written, too: in trees of
# AS_JSON, which earlier releases made, it is an object of JSON (ADR 0078).
ARITY, AS_JSON = 32, (2, 16)


def canonical(columns: Iterable[str], arity: int = ARITY) -> str:
    """SQL of the canonical text of a row of a block whose tree has this arity.

    It is a line of CSV (RFC 4180) without its end: what the names of the columns are known by (`mark_of`), then each value, by name, as DuckDB casts it to
    text in UTC, in double quotes with those in it doubled; nothing where it is absent. The leaf of the evidence block is SHA-256 of 0x00 and its UTF-8 bytes. Which columns a block covers stands in
    `gathered.columns`, so that a field added later leaves earlier blocks as they were.
    """
    names = sorted(columns)
    if arity in AS_JSON:
        members = ", ".join(f"'{name}': \"{name}\"" for name in names)
        return f"to_json({{{members}}})::varchar"
    values = [f"""coalesce('"' || replace("{name}"::varchar, '"', '""') || '"', '')""" for name in names]
    return " || ',' || ".join([f"""'"{mark_of(names)}"'""", *values])


def mark_of(names: Iterable[str]) -> str:
    """What the names of columns, in order, are known by: the first 16 hex digits of SHA-256 over them with a comma behind each."""
    return hashlib.sha256("".join(f"{name}," for name in names).encode()).hexdigest()[:16]


def leaf(columns: Iterable[str], arity: int = ARITY) -> str:
    """SQL of the leaf hash (hex, RFC 6962) of a row."""
    return f"sha256(chr(0) || {canonical(columns, arity)})"


def root(leaves: Sequence[bytes]) -> str:
    """The root (hex) of a block with these leaf hashes."""
    return merkle.root(leaves, arity=ARITY).hex()


def ensure(connection: Any, resource: Resource) -> None:
    """Make the tables of a resource, or the columns that they lack, in the running transaction. A column keeps the type it was made with."""
    existing = tables(connection)
    for table, more in ((name_of(resource.id), {}), (past_of(resource.id), PAST)):
        wanted = {**columns_of(resource), **OWN, **more}
        if table not in existing:
            columns = ", ".join(f'"{name}" {type}' for name, type in wanted.items())
            connection.execute(f"create table lake.{table} ({columns})")
            continue
        there = stored_columns(connection, table)
        for name in wanted.keys() - there.keys():
            connection.execute(f'alter table lake.{table} add column "{name}" {wanted[name]}')


def stored_columns(connection: Any, table: str) -> dict[str, str]:
    """Column -> type of a table of the lake; empty where it does not exist."""
    rows = connection.execute(
        "select column_name, data_type from duckdb_columns() where database_name = 'lake' and table_name = ? order by column_index", [table]
    ).fetchall()
    return dict(rows)
