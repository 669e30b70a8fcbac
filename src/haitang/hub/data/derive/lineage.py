"""Where each column of a derivation comes from, read from its SQL: `aqi` <- `air_station.pm2_5, hour mean`, `air_station.o3, hour mean`.

A field of a resource is written `outfall.river, gathered`; of a point, one of its three columns.
"""

from collections.abc import Iterator
from typing import Any

from sqlglot import exp
from sqlglot.lineage import Node
from sqlglot.lineage import lineage as column_lineage
from sqlglot.optimizer.qualify import qualify

from haitang.base.declarations import Declarations, in_force
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.plan import Planned, plan
from haitang.hub.data.derive.sources import columns_of, device_of, statistics_of
from haitang.hub.data.derive.sql import Parsed, Source
from haitang.hub.data.lake.schema import TABLES


def lineage(derivation: str, declarations: Declarations | None = None) -> dict[str, list[str]]:
    """Column -> what it is computed from, down to properties of device types, fields of resources and columns of lake tables; raises NOT_DECLARED."""
    declarations = declarations or in_force()
    declarations.get(Derive, derivation)
    known: dict[str, dict[str, list[str]]] = {}
    for planned in plan(declarations):
        known[planned.derive.id] = _columns(planned, declarations, known)
        if planned.derive.id == derivation:
            break
    return known[derivation]


GATHERED = "gathered"


def table_of(source: Source) -> str:
    return f"{source.kind}__{source.name}"


def named(parsed: Parsed) -> exp.Expr:
    """The statement with each source as a plain table, which is what sqlglot's lineage reads."""

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Table):
            for source in parsed.sources:
                called = (
                    isinstance(node.this, exp.Anonymous)
                    and f"{str(node.this.this).lower()}('{node.this.expressions[0].this}')" == source.word
                )
                if called or (isinstance(node.this, exp.Identifier) and node.name == source.word):
                    table = exp.table_(table_of(source), alias=node.alias or source.name)
                    table.set("joins", node.args.get("joins"))
                    return table
        return node

    return parsed.tree.copy().transform(change)


def _schema(planned: Planned, declarations: Declarations, known: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, str]]:
    schema = {}
    for source in planned.parsed.sources:
        columns = columns_of(source, declarations)
        if columns is None:
            columns = list(known[source.name]) if source.kind == "derive" else lake_columns(source.name)
        schema[table_of(source)] = dict.fromkeys(columns, "unknown")
    return schema


def lake_columns(table: str) -> list[str]:
    return [part.split()[0] for part in TABLES[table].split(",")]


def _columns(planned: Planned, declarations: Declarations, known: dict[str, dict[str, list[str]]]) -> dict[str, list[str]]:
    schema: Any = _schema(planned, declarations, known)
    tree: Any = qualify(named(planned.parsed), schema=schema, dialect="duckdb")
    sources = {table_of(source): source for source in planned.parsed.sources}
    found: dict[str, list[str]] = {}
    for column in tree.named_selects:
        node = column_lineage(column, tree.copy(), schema=schema, dialect="duckdb")
        leaves = [origin for leaf in _leaves(node) for origin in _origins(leaf, sources, declarations, known)]
        found[column] = sorted(dict.fromkeys(leaves))
    return found


def _leaves(node: Node) -> Iterator[tuple[str, str]]:
    """(table, column) pairs at the bottom."""
    for below in node.walk():
        if not below.downstream and isinstance(below.source, exp.Table):
            yield below.source.name, below.name.rpartition(".")[2].strip('"')


def _origins(
    leaf: tuple[str, str], sources: dict[str, Source], declarations: Declarations, known: dict[str, dict[str, list[str]]]
) -> list[str]:
    table, column = leaf
    source = sources.get(table)
    if source is None:
        return []
    if source.kind == "derive":
        return known[source.name].get(column, [])
    if source.kind == "lake":
        return [f"{source.name}.{column}"]
    if source.kind == "resource":
        return [f"{source.name}.{column}, {GATHERED}"]
    unit: Any = source.kind.partition("_")[0]
    statistic = statistics_of(device_of(declarations, source.name), unit).get(column)
    return [f"{source.name}.{column}, {statistic}" if statistic else f"{source.name}.{column}"]
