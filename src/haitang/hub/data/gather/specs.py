"""Spec tables of resources: input rows -> accepted, or the reasons why not.

    resource: enterprise_permit
    today: 2026-03-01
    known: {enterprise.code: [91990101MA5U00000X]}      # what references find; nothing written: everything
    given: |
      line  permit_no  holder  expires
    expect: |
      line  outcome
      1     accepted
      2     holder:code expires:type
      3     repeated

`given` names fields; a cell `-` is an empty one, `\\u3000` and quotes are as in the file. `expect` needs only the lines that it is about.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

import pyarrow as pa

from haitang.base.clock import CHINA, frozen, now
from haitang.base.declarations.spec import Failure, SpecTable, Table
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather.judge.judge import Judge, Judged, nowhere
from haitang.hub.data.gather.judge.lookups import Nothing
from haitang.hub.data.gather.readers.types import Chunk
from haitang.hub.data.lake.connection import plain


def run_table(resource: Resource, table: SpecTable) -> list[Failure]:
    """Judge `given` and hold it against `expect`."""
    unknown = [name for name in table.given.columns if name != "line" and name not in resource.fields]
    if unknown:
        return [Failure(f"资源没有字段 {'、'.join(unknown)}")]
    with frozen(datetime.combine(_day(table.options.get("today")), time(12), CHINA)):
        outcome = _outcome(resource, table, _judged(resource, table))
    return [failure for number, row in enumerate(table.expect.rows) if (failure := _held(number, row, outcome))]


def _day(written: Any) -> Any:
    return datetime.fromisoformat(str(written)).date() if written else now().astimezone(CHINA).date()


def _judged(resource: Resource, table: SpecTable) -> Judged:
    known: Mapping[str, Any] = table.options.get("known") or {}
    columns = {name: name for name in table.given.columns if name != "line"}
    judge = Judge(plain(), resource, columns, table.declarations, Nothing(known), nowhere)
    return judge.judge(chunk_of(table.given))


def chunk_of(table: Table) -> Chunk:
    """The rows of a written table as a reader would give them; lines from the column `line`, else from 1."""
    names = [name for name in table.columns if name != "line"]
    lines = [int(row.get("line") or number + 1) for number, row in enumerate(table.rows)]
    batch = pa.RecordBatch.from_pydict({name: pa.array([row[name] for row in table.rows], pa.string()) for name in names})
    raw = [" ".join(row[name] or "" for name in names) for row in table.rows]
    return Chunk(batch, pa.array(lines, pa.int64()), [], lambda rows: [raw[n] for n in rows], {}, len(raw), 0, 0, done=True)


def _outcome(resource: Resource, table: SpecTable, judged: Judged) -> dict[str, set[str]]:
    found = {str(row.get("line") or number + 1): {"repeated"} for number, row in enumerate(table.given.rows)}
    found.update({str(line): {"accepted"} for line in judged.accepted["line"].to_pylist()})
    for refused in judged.refused:
        found[str(refused.line)] = {f"{reason['field'] or 'row'}:{reason['code']}" for reason in refused.reasons}
    return found


def _held(number: int, row: Mapping[str, str | None], outcome: Mapping[str, set[str]]) -> Failure | None:
    line, wanted = str(row.get("line")), set((row.get("outcome") or "").split())
    found = outcome.get(line)
    if found is None:
        return Failure(f"given 里没有第 {line} 行", number)
    return None if found == wanted else Failure(f"第 {line} 行应为 {' '.join(sorted(wanted))}，实际为 {' '.join(sorted(found))}", number)
