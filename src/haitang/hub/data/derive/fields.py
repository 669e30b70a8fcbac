"""What a statement does with the fields of the resources that it reads, for `haitang check`."""

import re
from collections.abc import Iterator
from typing import Any

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from haitang.base.declarations import Declarations
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue.kinds import Level, Resource, ResourceField
from haitang.hub.data.catalogue.tables import columns_of_field
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.lineage import lake_columns, named, table_of
from haitang.hub.data.derive.sources import columns_of, read
from haitang.hub.data.derive.sql import Parsed, Source

_NAMED = re.compile(r"(?:Unknown column: |olumn ')\"?(\w+)")


def unknown(derive: Derive, declarations: Declarations) -> tuple[list[str], list[str]]:
    """The first column that nothing which a statement over resources reads has, and the columns that there are."""
    found = _read(derive, declarations)
    if found is None:
        return [], []
    parsed, schema = found
    try:
        qualify(named(parsed), schema=schema, dialect="duckdb")
    except OptimizeError as reason:
        name = _NAMED.search(str(reason))
        return [name[1] if name else str(reason).splitlines()[0]], sorted({column for columns in schema.values() for column in columns})
    return [], []


def _read(derive: Derive, declarations: Declarations) -> tuple[Parsed, Any] | None:
    """The statement and the columns of its sources; None where it reads no resource or their columns cannot be told."""
    try:
        parsed = read(derive.sql, declarations)
        columns = {table_of(source): _columns(source, declarations) for source in parsed.sources}
    except HaitangError:
        return None
    if not any(source.kind == "resource" for source in parsed.sources) or not all(columns.values()):
        return None
    return parsed, {table: dict.fromkeys(names, "unknown") for table, names in columns.items()}


def _columns(source: Source, declarations: Declarations) -> list[str]:
    """Empty where they cannot be told."""
    if source.kind == "lake":
        return lake_columns(source.name)
    if source.kind == "derive":
        names = read(declarations.get(Derive, source.name).sql, declarations).tree.named_selects
        return [] if "*" in names else list(names)
    return columns_of(source, declarations) or []


def selected_above_general(derive: Derive, declarations: Declarations) -> list[tuple[str, Level]]:
    """Fields above general level whose values a statement gives on: selected anywhere in it, and not merely counted."""
    found = _read(derive, declarations)
    if found is None:
        return []
    parsed, schema = found
    try:
        tree: Any = qualify(named(parsed), schema=schema, dialect="duckdb")
    except OptimizeError:
        return []
    resources = {table_of(s): declarations.get(Resource, s.name) for s in parsed.sources if s.kind == "resource"}
    above = {
        (field.title, field.classified)
        for scope in traverse_scope(tree)
        for field in _selected(scope, resources)
        if field.classified not in ("public", "general")
    }
    return sorted(above)


def _selected(scope: Scope, resources: dict[str, Resource]) -> Iterator[ResourceField]:
    for column in scope.columns:
        table = scope.sources.get(column.table)
        resource = resources.get(table.name) if isinstance(table, exp.Table) else None
        if resource is None or not _gives_on(column, scope.expression):
            continue
        for name, field in resource.fields.items():
            if column.name in columns_of_field(name, field):
                yield field


def _gives_on(column: exp.Column, select: exp.Expr) -> bool:
    """Whether a column stands among what its SELECT gives, and not merely within a count or a condition."""
    node: Any = column
    while node.parent is not None and node.parent is not select:
        node = node.parent
        if isinstance(node, exp.Count | exp.Where):
            return False
    return node.arg_key == "expressions" or not isinstance(select, exp.Select)
