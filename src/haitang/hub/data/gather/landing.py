"""Parts into the lake: the writer's side of gathering (a follower of the writer; one process writes the lake).

One lake transaction holds a part, or several of one run: rows that are new or differ, the versions that they replace, the evidence block over what is
stored, and the line of `gathered` that says that the part is in. Killed before its commit, nothing has happened; killed after it, the line is found and the
part is not put in again.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
import structlog
from django.db import transaction as of_database
from django.db.models import F

from haitang.base.clock import now
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import ARITY, OWN, ensure, leaf, name_of, past_of, root, stored_columns
from haitang.hub.data.gather import adding, parts
from haitang.hub.data.gather.models import Part, Run
from haitang.hub.data.gather.releases import under
from haitang.hub.data.gather.waiting import wake
from haitang.hub.data.lake.connection import quoted
from haitang.hub.data.lake.schema import tables
from haitang.hub.data.lake.transaction import transaction

log = structlog.get_logger()

AT_ONCE = 1.0  # seconds of the writer's time in one go
MOST = 64  # parts that are looked at in one go
# Parts of a run that is still read, and seconds, for which landing waits: a transaction costs as much for one as for many.
TOGETHER, LATEST = 16, 3.0
NEARLY = 0.85  # of a file's bytes
COUNTS = ("inserted", "updated", "unchanged", "removed")
GATHERED = "run varchar, part integer, block bigint, columns varchar[], inserted bigint, updated bigint, unchanged bigint, removed bigint, written_at timestamptz"


@dataclass(frozen=True)
class Landed:
    """What a part changed. `block`: its evidence block, None where nothing was stored."""

    block: int | None = None
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0


def follow(connection: Any, position: int) -> bool:
    """Land staged parts, the oldest run's first and each run's in order; returns whether to look again soon: blocks were added, a run is nearly read, or time was up.

    Something lands each time, so that gathering goes on where even looking takes longer than AT_ONCE.
    """
    began = time.monotonic()
    staged = list(Part.objects.filter(landed=False).select_related("run").order_by("run_id", "number")[:MOST])
    soon = any(part.run.state == Run.State.RUNNING and part.run.read_bytes > NEARLY * part.run.total_bytes for part in staged)
    ripe = _ripe(staged)
    staged = [part for part in staged if part.run_id in ripe]
    while staged:
        landed = _land(connection, _together(staged))
        soon |= any(each.block is not None for each in landed.values())
        staged = [part for part in staged if part.number not in landed or part.run_id != staged[0].run_id]
        if time.monotonic() - began > AT_ONCE:
            break
    return soon or bool(staged)


_waits: dict[UUID, float] = {}  # runs that are still read, and since when something of them is staged


def _ripe(staged: list[Part]) -> set[UUID]:
    """Runs whose parts need not wait for more."""
    at, parts_of = time.monotonic(), Counter(part.run_id for part in staged)
    reading = {part.run_id for part in staged if part.run.state == Run.State.RUNNING and parts_of[part.run_id] < TOGETHER}
    for run in _waits.keys() - reading:
        del _waits[run]
    ripe = parts_of.keys() - {run for run in reading if at - _waits.setdefault(run, at) < LATEST}
    for run in reading & ripe:
        del _waits[run]
    return set(ripe)


def _together(staged: list[Part]) -> list[Part]:
    """The first parts that one transaction may hold: rows of one run."""
    first = staged[0]
    if first.kind != "rows":
        return [first]
    return list(takewhile(lambda part: part.run_id == first.run_id and part.kind == "rows", staged))


def _land(connection: Any, group: list[Part]) -> dict[int, Landed]:
    """Land the first of these parts, or more: number -> what it changed."""
    landed = _known(connection, group) or _put(connection, group)
    with of_database.atomic():
        for number, each in landed.items():
            Part.objects.filter(run=group[0].run, number=number).update(landed=True, block=each.block)
        counts = {name: F(name) + sum(getattr(each, name) for each in landed.values()) for name in COUNTS}
        Run.objects.filter(pk=group[0].run_id).update(**counts)
        wake()
    return landed


def _known(connection: Any, group: list[Part]) -> dict[int, Landed]:
    """Those that are in the lake already."""
    if "gathered" not in tables(connection):
        return {}
    rows = connection.execute(
        "select part, block, inserted, updated, unchanged, removed from lake.gathered where run = ? and part in (select unnest(?))",
        [str(group[0].run_id), [part.number for part in group]],
    ).fetchall()
    return {number: Landed(*row) for number, *row in rows}


def _put(connection: Any, group: list[Part]) -> dict[int, Landed]:
    """In one transaction: it costs as much for one part as for several, and a part of new rows costs hardly anything else."""
    first = group[0]
    if first.kind == "discard":
        return {first.number: _discard(connection, first)}
    resource = under(first.run).get(Resource, first.run.resource)
    table, past = name_of(resource.id), past_of(resource.id)
    landed: dict[int, Landed] = {}
    began = time.monotonic()
    with transaction(connection, table, past, "blocks", "gathered"):
        ensure(connection, resource)
        block = connection.execute("select coalesce(max(id), 0) + 1 from lake.blocks").fetchone()[0]
        before = _before(connection, first, resource, block)
        books = _Books(connection, table, stored_columns(connection, table), _none(connection, table, before))
        for part in group[: 1 if resource.duplicates == "last" else MOST]:  # the last one of a file may replace a row of the part before
            columns, each = (
                _removed(books, part, resource, block) if part.kind == "removal" else _rows(books, part, resource, before, block)
            )
            _note(books, part, columns, each)
            landed[part.number] = each
            block += each.block is not None
            if time.monotonic() - began > AT_ONCE / 2:
                break
        books.write()
    return landed


@dataclass
class _Books:
    """What parts of one transaction share. `stored`: column -> type of the `table`; `none`: no row stands in it that one of theirs may replace; files that become ones of
    it, lines of `blocks` and `gathered`, written together at the end: an insertion into the lake costs as much for one as for many."""

    connection: Any
    table: str = ""
    stored: dict[str, str] = field(default_factory=dict)
    none: bool = False
    files: list[Path] = field(default_factory=list)
    alike: dict[Any, bool] = field(default_factory=dict)
    blocks: list[list[Any]] = field(default_factory=list)
    gathered: list[list[Any]] = field(default_factory=list)

    def add(self, file: Path, schema: Any, block: int) -> bool:
        """Have a part become a file of the table; False where its rows must be inserted instead."""
        if schema not in self.alike:
            self.alike[schema] = adding.alike(self.connection, file, self.stored)
        to = adding.link(file, self.table, block) if self.alike[schema] else None
        if to:
            self.files.append(to)
        return to is not None

    def write(self) -> None:
        if self.files:
            adding.add(self.connection, self.files, self.table)
        if "gathered" not in tables(self.connection):
            self.connection.execute(f"create table lake.gathered ({GATHERED})")
        for table, lines in (("blocks", self.blocks), ("gathered", self.gathered)):
            if lines:
                each = f"({', '.join('?' * len(lines[0]))})"
                values = [value for line in lines for value in line]
                self.connection.execute(f"insert into lake.{table} values {', '.join([each] * len(lines))}", values)


def _none(connection: Any, table: str, before: str) -> bool:
    return bool(connection.execute(f"select count(*) from (select block from lake.{table} where {before} limit 1)").fetchone()[0] == 0)


def _note(books: _Books, part: Part, columns: list[str], landed: Landed) -> None:
    """The line that says that a part is in the lake."""
    counts = [landed.inserted, landed.updated, landed.unchanged, landed.removed]
    books.gathered.append([str(part.run_id), part.number, landed.block, columns, *counts, now()])


def _discard(connection: Any, part: Part) -> Landed:
    """A provisional resource leaves the lake, its past versions too. The roots of its blocks stay in the ledger."""
    found = [name for name in (name_of(part.run.resource), past_of(part.run.resource)) if name in tables(connection)]
    with transaction(connection, "gathered"):
        current = [name for name in found if name == name_of(part.run.resource)]
        rows = sum(int(connection.execute(f"select count(*) from lake.{name}").fetchone()[0]) for name in current)
        for name in found:
            connection.execute(f"drop table lake.{name}")
        books = _Books(connection)
        _note(books, part, [], Landed(removed=rows))
        books.write()
    return Landed(removed=rows)


def _named(columns: list[str], of: str = "") -> str:
    return ", ".join(f'{of}"{column}"' for column in columns)


def _rows(books: _Books, part: Part, resource: Resource, before: str, block: int) -> tuple[list[str], Landed]:
    """Add what is new, replace what differs, leave what is the same."""
    connection = books.connection
    file = parts.path(part.run_id, part.number)
    schema = pq.read_schema(file)
    columns = [name for name in schema.names if name not in OWN]
    table = name_of(resource.id)
    source = f"read_parquet({quoted(file)}, file_row_number = true)"
    key = _named(resource.key)
    stored = f"(from lake.{table} where {before})"
    if books.none or connection.execute(f"select count(*) from {source} semi join {stored} as stored using ({key})").fetchone()[0] == 0:
        if part.rows < adding.FEW or not books.add(file, schema, block):
            _insert(connection, part, table, columns, f"select *, file_row_number as place from {source}", block)
        known = part.first_line is not None and part.last_line is not None  # a part that an earlier release staged does not say
        lines = (part.first_line or 0, part.last_line or 0) if known else _lines(connection, source)
        _block(books, part, table, _Tree(part.rows, part.root, part.arity), lines, block)
        return columns, Landed(block, inserted=part.rows)
    differs = " or ".join(f'part."{c}" is distinct from stored."{c}"' for c in columns)
    connection.execute(
        f"create or replace temp table incoming as select part.*, stored.block is not null as known, (stored.block is not null and ({differs})) as changed "
        f"from {source} as part left join {stored} as stored using ({key})"
    )
    return columns, _merge(books, part, resource, columns, block)


def _before(connection: Any, part: Part, resource: Resource, block: int) -> str:
    """SQL of: a stored row may have a key of the parts from this one on, whose first block is `block`. A run brings a key once, unless the last one of a file
    holds, so that its own rows need no look: a large file would be compared with itself over and over."""
    if resource.duplicates == "last":
        return "true"
    if "gathered" not in tables(connection):
        return f"block < {block}"
    first = connection.execute("select min(block) from lake.gathered where run = ?", [str(part.run_id)]).fetchone()[0]
    if first is None:
        return f"block < {block}"
    between = "select count(*) from lake.blocks where id > ? and table_name = ? and id not in (select block from lake.gathered where run = ? and block is not null)"
    others = connection.execute(between, [first, name_of(resource.id), str(part.run_id)]).fetchone()[0]
    return "true" if others else f"block < {first}"


def _merge(books: _Books, part: Part, resource: Resource, columns: list[str], block: int) -> Landed:
    connection = books.connection
    table, past, key = name_of(resource.id), past_of(resource.id), _named(resource.key)
    total, new, changed = connection.execute(
        "select count(*), count(*) filter (not known), count(*) filter (changed) from incoming"
    ).fetchone()
    if new + changed == 0:
        return Landed(unchanged=total)
    if changed:
        old = f"(select {key} from incoming where changed)"
        connection.execute(
            f"insert into lake.{past} by name select stored.*, {block} as ended_block, 'updated' as ended_how, ?::timestamptz as ended_at "
            f"from lake.{table} as stored semi join {old} using ({key})",
            [now()],
        )
        connection.execute(f"delete from lake.{table} where ({key}) in {old}")
    stored = "select *, row_number() over (order by file_row_number) - 1 as place from incoming where changed or not known"
    leaves = connection.execute(f"select {leaf(columns)} from ({stored}) order by place").fetchall()
    made = root([bytes.fromhex(each) for (each,) in leaves])
    _insert(connection, part, table, columns, stored, block)
    _block(books, part, table, _Tree(new + changed, made), _lines(connection, f"({stored})"), block)
    return Landed(block, inserted=new, updated=changed, unchanged=total - new - changed)


def _insert(connection: Any, part: Part, table: str, columns: list[str], rows: str, block: int) -> None:
    connection.execute(
        f"insert into lake.{table} by name select {_named(columns)}, {block}::bigint as block, place::integer as block_index, "
        f"{quoted(part.run_id)} as run, line, ?::timestamptz as gathered_at, ? as release from ({rows})",
        [now(), part.run.release],
    )


@dataclass(frozen=True)
class _Tree:
    rows: int
    root: str
    arity: int = ARITY


def _lines(connection: Any, source: str) -> tuple[int, int]:
    """The first and last line of the file that these rows come from."""
    first, last = connection.execute(f"select min(line), max(line) from {source}").fetchone()
    return first, last


def _block(books: _Books, part: Part, table: str, tree: _Tree, lines: tuple[int, int], block: int) -> None:
    """The evidence block."""
    books.blocks.append([block, table, tree.rows, tree.root, *lines, now(), part.run.release, tree.arity])


def _removed(books: _Books, part: Part, resource: Resource, block: int) -> tuple[list[str], Landed]:
    """The end of a full load: what was in none of its parts, nor quarantined, is not there any more."""
    connection = books.connection
    table, past, key = name_of(resource.id), past_of(resource.id), _named(resource.key)
    columns = [
        name
        for (name,) in connection.execute(
            f"select column_name from duckdb_columns() where database_name = 'lake' and table_name = '{table}' and column_name in ({', '.join(map(quoted, _fields(resource)))})"
        ).fetchall()
    ]
    kept = _kept(part.run, resource)
    connection.execute(
        f"create or replace temp table leaving as select *, row_number() over (order by {key}) - 1 as place from lake.{table} anti join ({kept}) using ({key})"
    )
    count = connection.execute("select count(*) from leaving").fetchone()[0]
    if not count:
        return columns, Landed()
    leaves = connection.execute(f"select {leaf(columns)} from leaving order by place").fetchall()
    made = root([bytes.fromhex(each) for (each,) in leaves])
    connection.execute(
        f"insert into lake.{past} by name select * exclude (place), {block}::bigint as ended_block, 'removed' as ended_how, ?::timestamptz as ended_at from leaving",
        [now()],
    )
    connection.execute(f"delete from lake.{table} where ({key}) in (select {key} from leaving)")
    _block(books, part, past, _Tree(count, made), _lines(connection, "leaving"), block)
    return columns, Landed(block, removed=count)


def _fields(resource: Resource) -> list[str]:
    from haitang.hub.data.catalogue.tables import columns_of

    return list(columns_of(resource))


def _kept(run: Run, resource: Resource) -> str:
    """SQL of the keys that the run has seen. It has staged something: an empty file removes nothing (`gathering` asks for no removal then)."""
    numbers = run.staged.filter(kind="rows").values_list("number", flat=True)
    files: list[Path] = [file for n in numbers for file in (parts.path(run.pk, n), parts.held_keys(run.pk, n)) if file.is_file()]
    return f"select {_named(resource.key)} from read_parquet([{', '.join(map(quoted, files))}])"
