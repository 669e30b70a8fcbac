"""Computes indicators: the number, its members, and what is to be said about its input."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from haitang.base.clock import CHINA
from haitang.base.declarations import Declarations, in_force
from haitang.base.durations import parse_span
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.queries import select
from haitang.hub.data.indicators import relations, sql
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.indicators.sources import Source, of_tables

Rows = list[dict[str, Any]]
LONGEST = "5s"  # that a statement over the registered relations may take


@dataclass(frozen=True)
class Computed:
    """One number: of all (`dimension` and `member` empty) or of a member."""

    dimension: str
    member: str
    value: float | None
    source_time: datetime | None
    partial: bool
    origins: tuple[str, ...]


def tables_of(indicator: Indicator, declarations: Declarations) -> list[str]:
    """What the statement of this indicator may read."""
    return list(relations.registered) if indicator.over == "cases" else list(declarations.all(Derive))


def definition(indicator: Indicator) -> str:
    """Digest of what decides the number."""
    return hashlib.sha256(f"{indicator.value}|{indicator.over}|{indicator.unit}".encode()).hexdigest()[:16]


def target(indicator: Indicator, at: datetime) -> float | None:
    """The target of the year in China."""
    return indicator.target.get(at.astimezone(CHINA).year)


def compute(indicator: Indicator, at: datetime) -> list[Computed]:
    """The number and its members at an instant; raises BAD_VALUE, BAD_SQL or NOT_READY."""
    declarations = in_force()
    tree = sql.parse(indicator.value, tables_of(indicator, declarations))
    over_lake = indicator.over == "lake"
    run = select if over_lake else on_relations
    dialect = "duckdb" if over_lake else "postgres"
    source = _source(indicator, declarations, at) if over_lake else Source(at, origins=_case_origins(run))
    partial = source.partial(at, parse_span(indicator.fresh_within))
    found = run(sql.total(tree, at, dates=over_lake, dialect=dialect))
    numbers = [Computed("", "", _number(found[0]["value"]) if found else None, source.newest, partial, source.origins)]
    for dimension in indicator.by:
        for row in run(sql.by_member(tree, at, dimension, dates=over_lake, dialect=dialect)):
            member = str(row["member"])
            newest, origins = source.newest_of.get(member, source.newest), source.origins_of.get(member, source.origins)
            numbers.append(Computed(dimension, member, _number(row["value"]), newest, False, origins))
    return numbers


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _source(indicator: Indicator, declarations: Declarations, at: datetime) -> Source:
    tree = sql.parse(indicator.value, declarations.all(Derive).keys())
    return of_tables(sql.tables_in(tree), declarations, at)


def _case_origins(run: Callable[[str], Rows]) -> tuple[str, ...]:
    names = [r.name for r in relations.registered.values() if "origin" in r.columns]
    return tuple(sorted({row["origin"] for name in names for row in run(f"select distinct origin from {name}")}))  # noqa: S608


def on_relations(statement: str) -> Rows:
    """Run a SELECT that was read by `sql.parse` over the registered relations, for at most LONGEST."""
    offered = ", ".join(f"{r.name} as ({r.sql})" for r in relations.registered.values())
    with transaction.atomic(), connection.cursor() as cursor:  # the limit holds in a transaction only, and until its end
        cursor.execute("select current_setting('statement_timeout'), set_config('statement_timeout', %s, true)", [LONGEST])
        before = cursor.fetchone()[0]
        cursor.execute(f"with {offered} {statement}")
        names = [column.name for column in cursor.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute("select set_config('statement_timeout', %s, true)", [before])
    return rows
