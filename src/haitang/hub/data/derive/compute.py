"""Computes one derivation: the touched part of its table is made anew in one transaction with the position it has come to."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from haitang.base.declarations import Declarations
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import ensure, name_of, stored_columns
from haitang.hub.data.derive import udf
from haitang.hub.data.derive.plan import Planned, Things
from haitang.hub.data.derive.sources import READ, TOUCHED, Only, columns_of, relation
from haitang.hub.data.derive.sql import condition, render
from haitang.hub.data.lake import offsets
from haitang.hub.data.lake.buckets import WIDTH, date_sql, start_sql
from haitang.hub.data.lake.schema import tables
from haitang.hub.data.lake.transaction import transaction

_EXAMPLES = 5


@dataclass
class Computed:
    """What a run did. `buckets`: hours, days or keys computed anew, None for the whole table; `failures`: test, rows, examples."""

    rows: int
    buckets: int | None
    failures: list[dict[str, Any]] = field(default_factory=list)


def compute(
    connection: Any, planned: Planned, declarations: Declarations, things: Things, position: int, gathered: int = 0
) -> Computed | None:
    """Bring a derivation up to block `position` and to what was gathered of its resources until `gathered`; None when it is there already.

    A run that ended changes rows anywhere in a resource, so that what reads it is computed anew as a whole.
    """
    name = f"derive:{planned.derive.id}:{planned.digest}"
    come, known = offsets.load(connection, name), offsets.load(connection, f"{name}:gathered")
    whole = not come.ranges or planned.table not in tables(connection) or gathered > known.last
    if not whole and (come.last >= position or not planned.observes):
        return None
    _ensure_resources(connection, planned, declarations)
    only = None if whole else _touched(connection, planned, come.last, position)
    buckets: int | None = connection.execute(f"select count(*) from {TOUCHED}").fetchone()[0] if only else None
    if buckets == 0:
        rows, failures = 0, []
    else:
        _select(connection, planned, declarations, things, only)
        rows = connection.execute("select count(*) from computed").fetchone()[0]
        failures = _failures(connection, planned)
    with transaction(connection, planned.table, "offsets"):
        if buckets != 0:
            _put(connection, planned, whole, only)
        connection.execute("delete from lake.offsets where name like ?", [f"derive:{planned.derive.id}:%"])
        offsets.reach(connection, name, position)
        if gathered:
            offsets.reach(connection, f"{name}:gathered", gathered)
    return Computed(rows, buckets, failures)


def _ensure_resources(connection: Any, planned: Planned, declarations: Declarations) -> None:
    """A resource of which nothing was gathered yet is an empty table; one that has new fields has columns for them."""
    for source in planned.parsed.sources:
        if source.kind != "resource":
            continue
        there = stored_columns(connection, name_of(source.name))
        if set(columns_of(source, declarations) or ()) - there.keys():
            with transaction(connection, name_of(source.name)):
                ensure(connection, declarations.get(Resource, source.name))


def _touched(connection: Any, planned: Planned, since: int, position: int) -> Only | None:
    """Find what the blocks after `since` touch; None: the whole table."""
    derive = planned.derive
    if derive.kind == "full":
        return None
    unit: Any = "key" if derive.kind == "keyed" else derive.time
    bucket = {"key": "thing", "hour": start_sql("period_start", "hour"), "day": date_sql("period_start")}[unit]
    connection.execute(
        f"create or replace temp table {TOUCHED} as select distinct {bucket} as bucket from lake.observations where block > ? and block <= ?",
        [since, position],
    )
    if unit == "key" or not planned.carries:
        return Only(unit)
    _widen(connection, TOUCHED, TOUCHED, unit, "+", planned.carries)
    _widen(connection, READ, TOUCHED, unit, "-", planned.looks_back)
    return Only(unit, READ)


def _widen(connection: Any, made: str, base: str, unit: Literal["hour", "day"], sign: Literal["+", "-"], by: timedelta) -> None:
    """The table `made`: the buckets of `base` with those up to `by` after (+) or before (-) them."""
    steps = -(-by // timedelta(microseconds=WIDTH[unit]))
    moved = {"hour": f"make_timestamptz(epoch_us(bucket) {sign} step * {WIDTH['hour']})", "day": f"bucket {sign} step::integer"}[unit]
    connection.execute(
        f"create or replace temp table widened as select distinct {moved} as bucket from {base}, range(0, {steps + 1}) as t(step)"
    )
    connection.execute(f"create or replace temp table {made} as select bucket from widened")


def _own(planned: Planned, only: Only) -> str:
    """The condition that a row of the derivation is among the touched ones."""
    column = "station" if only.unit == "key" else only.unit
    return f"{column} in (select bucket from {TOUCHED})"


def _select(connection: Any, planned: Planned, declarations: Declarations, things: Things, only: Only | None) -> None:
    """Compute the touched part into the temporary table `computed`."""
    statement = render(
        planned.parsed,
        lambda source: relation(source, declarations, things(source.name), only),
        lambda name: udf.register(connection, planned.functions, planned.derive.owner, name),
    )
    where = f" where {_own(planned, only)}" if only else ""
    connection.execute(f"create or replace temp table computed as select * from ({statement}){where}")


def _put(connection: Any, planned: Planned, whole: bool, only: Only | None) -> None:
    if whole:
        connection.execute(f"create or replace table lake.{planned.table} as select * from computed limit 0")
        connection.execute(
            f"alter table lake.{planned.table} set sorted by ({', '.join(f'{column} asc' for column in planned.derive.grain)})"
        )
        connection.execute(f"insert into lake.{planned.table} select * from computed")
        return
    where = f" where {_own(planned, only)}" if only else ""
    connection.execute(f"delete from lake.{planned.table}{where}")
    connection.execute(f"insert into lake.{planned.table} by name select * from computed")


def _failures(connection: Any, planned: Planned) -> list[dict[str, Any]]:
    """Rows that break a declared test or stand twice for one grain: counted, with a few examples."""
    grain = ", ".join(planned.derive.grain)
    questions = {text: f"select * from computed where not ({condition(text).sql(dialect='duckdb')})" for text in planned.derive.tests}
    questions[f"one row a {grain}"] = f"select {grain}, count(*) as rows from computed group by {grain} having count(*) > 1"
    found = []
    for text, question in questions.items():
        cursor = connection.execute(f"select *, count(*) over () from ({question}) limit {_EXAMPLES}")
        names = [column[0] for column in cursor.description][:-1]
        if rows := cursor.fetchall():
            examples = [{name: str(value) for name, value in zip(names, row, strict=False)} for row in rows]
            found.append({"test": text, "rows": rows[0][-1], "examples": examples})
    return found
