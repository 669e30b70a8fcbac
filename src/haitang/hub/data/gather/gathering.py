"""One run: chunk by chunk from the file to staged parts and quarantine, so that being killed anywhere loses nothing and doubles nothing.

For each chunk: the part is on disk, then one PostgreSQL transaction holds its line, the quarantined rows and how far the run has come. Killed before that
commit, the chunk is read again and its part replaced; killed after it, reading goes on behind it.
"""

import re
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import msgspec
import pyarrow as pa
from django.db import connection as database
from django.db import transaction

from haitang.base import ports
from haitang.base.clock import now
from haitang.base.errors import error
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import ARITY
from haitang.hub.data.gather import incoming, parts, readers
from haitang.hub.data.gather.ahead import ahead
from haitang.hub.data.gather.judge.columns import match, refuse_missing
from haitang.hub.data.gather.judge.judge import Judge, Judged, Refused
from haitang.hub.data.gather.judge.lookups import InLake
from haitang.hub.data.gather.mended import mended_chunks
from haitang.hub.data.gather.models import Part, Run
from haitang.hub.data.gather.readers.types import Chunk, Layout
from haitang.hub.data.gather.releases import note, under
from haitang.hub.data.lake.connection import plain
from haitang.support.security.evidence.columns import root as root_of

TAKEN_OVER = error("gather.taken_over", 409, "采集任务 {run} 已由另一个进程接手或取消。")
MEMORY = "400MB"
UNKNOWN_KEYS = "unknown_keys"  # a note: rows whose key could not be read were quarantined, so that a full load removed nothing
EMPTY_FULL = "empty_full"  # a note: a full load without a row removed nothing


class Gathering:
    """One run while it is read. `chunks`: instead of the file's, for tests."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.declarations = under(run)
        self.resource = self.declarations.get(Resource, run.resource)
        self.parts = [
            parts.path(run.pk, n) for n in run.staged.filter(kind="rows", rows__gt=0).order_by("number").values_list("number", flat=True)
        ]
        self.judge: Judge | None = None

    def go(self, stop: threading.Event) -> bool:
        """Read on until the end; False when `stop` came first."""
        with closing(self._judged()) as chunks:
            for chunk, judged in chunks:
                self._take(chunk, judged)
                if stop.is_set() and not chunk.done:
                    return False
        self._end()
        return True

    def _judged(self) -> Generator[tuple[Chunk, Judged], None, None]:
        """Chunks with what becomes of their rows. Of a file with more than one, later ones are read by one thread and judged by another, while earlier ones are hashed and
        staged. More threads would keep more chunks in memory, whose pages cost more to clear than is won."""
        chunks = self._chunks()
        for chunk in chunks:
            judge, more = self.judge or self._begin(chunk), not chunk.done and not self.run.root_id
            yield _judged(judge, _prepared(judge, chunk))
            if more:
                yield from ahead(ahead(chunks, partial(_prepared, judge)), partial(_judged, judge))

    def _chunks(self) -> Iterator[Chunk]:
        if self.run.root_id:
            return mended_chunks(self.run)
        return readers.read(incoming.where(self.run), layout=Layout(**self.run.layout), start=self.run.position)

    def _begin(self, chunk: Chunk) -> Judge:
        headings = chunk.columns.schema.names
        columns = match(self.resource, headings, self.run.columns)
        refuse_missing(self.resource, columns, headings)
        self.run.columns = columns
        connection = plain(memory=MEMORY, threads=1)  # what stands beside it, reading and hashing, takes the other processors
        self.judge = Judge(
            connection, self.resource, columns, self.declarations, InLake(), ports.divisions().locate, self.parts,
            keep_keys=self.run.load == "full",
        )  # fmt: skip
        return self.judge

    def _take(self, chunk: Chunk, judged: Judged) -> None:
        number = self.run.parts + 1
        root = root_of(judged.leaves, ARITY).hex() if judged.rows else ""
        if judged.rows:
            parts.write(parts.whole(judged.accepted, self.run.pk, self.run.release), parts.path(self.run.pk, number))
        if self.run.load == "full":
            self._keep_keys(judged, number)
        self._commit(chunk, judged, number, root)
        if judged.rows and self.judge:
            self.judge.written(parts.path(self.run.pk, number))

    def _keep_keys(self, judged: Judged, number: int) -> None:
        known = [row.key for row in judged.refused if row.key is not None]
        if known:
            schema = pa.schema([judged.accepted.schema.field(name) for name in self.resource.key])
            table = pa.table(
                {name: pa.array([key[n] for key in known], schema.field(name).type) for n, name in enumerate(self.resource.key)}
            )
            parts.write(table, parts.held_keys(self.run.pk, number))
        if len(known) < len(judged.refused) and UNKNOWN_KEYS not in self.run.notes:
            self.run.notes = [*self.run.notes, UNKNOWN_KEYS]

    def _commit(self, chunk: Chunk, judged: Judged, number: int, root: str) -> None:
        run = self.run
        with transaction.atomic():
            there = Run.objects.select_for_update().get(pk=run.pk)
            if there.parts != number - 1 or there.state != Run.State.RUNNING:
                raise TAKEN_OVER(run=run.pk)
            first, last = (judged.accepted["line"][place].as_py() for place in (0, -1)) if judged.rows else (None, None)
            Part.objects.create(
                run=run, number=number, rows=judged.rows, root=root, arity=ARITY, first_line=first, last_line=last, landed=not judged.rows
            )
            _hold(run, number, judged.refused)
            _count(run, chunk, judged, self.resource)
            run.parts, run.position = number, dict(chunk.position)
            run.save(update_fields=READING)
            ports.live().announce("gather", {"run": str(run.pk)})

    def _end(self) -> None:
        """Everything is read: what is left is the writer's."""
        run = self.run
        with transaction.atomic():
            there = Run.objects.select_for_update().get(pk=run.pk)
            if there.state != Run.State.RUNNING:
                raise TAKEN_OVER(run=run.pk)
            if run.load == "full" and not run.read:
                run.notes = [*run.notes, EMPTY_FULL]
            elif run.load == "full" and UNKNOWN_KEYS not in run.notes:
                run.parts += 1
                Part.objects.create(run=run, number=run.parts, kind="removal")
            run.state = Run.State.LANDING
            run.save(update_fields=["state", "parts", "notes"])


def _prepared(judge: Judge, chunk: Chunk) -> tuple[Chunk, Any]:
    return chunk, judge.prepared(chunk)


def _judged(judge: Judge, given: tuple[Chunk, Any]) -> tuple[Chunk, Judged]:
    chunk, cells = given
    judged = judge.judge(chunk, cells)
    judge.remember(judged)
    return chunk, judged


READING = (
    "parts", "position", "columns", "file_rows", "read", "accepted", "quarantined", "repeated", "left_out", "faults", "filled", "notes", "read_bytes",
    "total_bytes",
)  # fmt: skip


def _count(run: Run, chunk: Chunk, judged: Judged, resource: Resource) -> None:
    run.file_rows, run.left_out = chunk.file_rows, dict(chunk.left_out)
    run.read_bytes, run.total_bytes = chunk.read_bytes, chunk.total_bytes
    run.read += chunk.columns.num_rows + len(chunk.broken)
    run.accepted += judged.rows + judged.repeated
    run.repeated += judged.repeated
    run.quarantined += len(judged.refused)
    run.faults = _added(run.faults, judged.faults)
    filled = {}
    for name, field in resource.fields.items():
        column = judged.accepted[f"{name}_longitude" if field.type == "point" else name]
        filled[name] = run.filled.get(name, 0) + len(column) - column.null_count
    run.filled = filled


def _added(before: Mapping[str, Mapping[str, int]], more: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    return {field: dict(Counter(before.get(field, {})) + Counter(more.get(field, {}))) for field in {*before, *more}}


_as_json = msgspec.json.Encoder(enc_hook=str).encode
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
_TOGETHER = 1000  # quarantined rows that are sent at once


def _hold(run: Run, number: int, refused: list[Refused]) -> None:
    """Quarantine by COPY, as texts of many lines: a file may have a million such rows."""
    if not refused:
        return
    with (
        database.cursor() as cursor,
        cursor.copy("copy gather_held (run_id, part, line, raw, cells, reasons, state, by, note) from stdin") as copy,
    ):
        before = f"{run.pk}\t{number}"
        for first in range(0, len(refused), _TOGETHER):
            copy.write("".join(f"{before}\t{_told(row)}\topen\t\t\n" for row in refused[first : first + _TOGETHER]))


def _told(row: Refused) -> str:
    """Line, raw text, cells and reasons as COPY has them; PostgreSQL keeps no NUL."""
    cells, reasons = (_without_nul(_as_json(each).decode()) for each in (row.cells, row.reasons))
    return "\t".join([str(row.line), *(_escaped(each) for each in (row.raw.replace("\0", "\u2400"), cells, reasons))])


def _without_nul(told: str) -> str:
    """JSON without NUL; a backslash and `u0000` that somebody wrote stay."""
    return _NUL.sub(r"\1", told) if "\\u0000" in told else told


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def begin(run: Run) -> None:
    """Mark a run as being read (again). It keeps the release under which it was first begun."""
    if not run.release:
        note(run)
    run.started_at = run.started_at or now()
    run.state = Run.State.RUNNING
    run.save(update_fields=["started_at", "release", "declared", "state"])


def facts(run: Run) -> dict[str, Any]:
    """What evidence says of a run."""
    names = (
        "read",
        "accepted",
        "quarantined",
        "repeated",
        "inserted",
        "updated",
        "unchanged",
        "removed",
        "file_rows",
        "left_out",
        "digest",
        "load",
    )
    return {"resource": run.resource, **{name: getattr(run, name) for name in names}}
