"""Rows that people mended, as chunks like those of a file, so that they are judged by the same rules."""

from collections.abc import Iterator

import pyarrow as pa

from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.gather.readers.types import ROWS, Chunk


def mended_chunks(run: Run) -> Iterator[Chunk]:
    """The rows submitted in a run, in their order; goes on after its position. `line` is the line in the file that they came from."""
    first = int((run.position or {}).get("after", 0))
    total = run.resubmits.count()
    headings = _headings(run)
    done = run.resubmits.filter(pk__lte=first).count()
    while True:
        rows = list(run.resubmits.filter(pk__gt=first).order_by("pk")[:ROWS])
        if not rows:
            return
        first, done = rows[-1].pk, done + len(rows)
        yield _chunk(rows, headings, first, done, total)


def _headings(run: Run) -> list[str]:
    """Every heading that any of the rows has: rows whose own cells could not be read have those of the mapping."""
    mapped = [each for heading in run.columns.values() for each in ([heading] if isinstance(heading, str) else heading)]
    return list(dict.fromkeys(mapped))


def _chunk(rows: list[Held], headings: list[str], last: int, done: int, total: int) -> Chunk:
    cells = [row.mended or row.cells for row in rows]
    batch = pa.RecordBatch.from_pydict({name: pa.array([row.get(name) for row in cells], pa.string()) for name in headings})
    raw = [",".join(row.get(name) or "" for name in headings) for row in cells]
    return Chunk(
        batch, pa.array([row.line for row in rows], pa.int64()), [], lambda wanted: [raw[n] for n in wanted], {"after": last}, done, done, total,
        done=done == total,
    )  # fmt: skip
