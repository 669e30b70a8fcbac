"""Rows of a resource as a reader may see them. What a reader may not see is masked inside the query, so it never leaves the lake.

`shown(resource)` is the one place where a column of a resource becomes SQL for a reader: policies about fields and rows belong here.
"""

from typing import Any

from haitang.hub.data.catalogue.kinds import Resource, ResourceField
from haitang.hub.data.catalogue.tables import columns_of_field, name_of, stored_columns
from haitang.hub.data.lake.queries import dicts, on_reader

OPEN = ("public", "general")
SAMPLE = 10


def masked(column: str, type: str, field: ResourceField) -> str:
    """SQL of a column for a reader: plain up to general level, its ends only when sensitive, nothing of it above."""
    if field.classified in OPEN:
        return f'"{column}"'
    if field.classified != "sensitive" or type != "varchar":
        return f"case when \"{column}\" is null then null else '＊＊＊' end"
    ends = f'left("{column}", case when length("{column}") > 8 then 3 else 1 end)'
    return f"{ends} || '＊＊＊' || case when length(\"{column}\") > 8 then right(\"{column}\", 2) else '' end"


def shown(resource: Resource) -> dict[str, str]:
    """Column -> SQL of it for a reader."""
    return {
        column: masked(column, type, field) for name, field in resource.fields.items() for column, type in columns_of_field(name, field).items()
    }  # fmt: skip


def count(resource: Resource) -> int | None:
    """How many current rows a resource has; None before anything was gathered."""
    table = name_of(resource.id)
    if not on_reader(lambda lake: stored_columns(lake, table)):
        return None
    return int(dicts(f"select count(*) as rows from lake.{table}")[0]["rows"])


def sample(resource: Resource) -> list[dict[str, Any]]:
    """The rows that were written last, masked."""
    table = name_of(resource.id)
    there = on_reader(lambda lake: stored_columns(lake, table))
    columns = ", ".join(f'{sql} as "{column}"' for column, sql in shown(resource).items() if column in there)
    return dicts(f"select {columns} from lake.{table} order by block desc, block_index limit {SAMPLE}") if there else []
