"""Rows tried against the rules without gathering them: the preview of an upload, a row that somebody mends."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from haitang.base import ports
from haitang.base.declarations import Declarations, in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather.judge.judge import Judge, Judged
from haitang.hub.data.gather.judge.lookups import InLake, Lookups, Nothing
from haitang.hub.data.gather.readers.types import Chunk
from haitang.hub.data.lake.connection import NOT_READY, plain, reader


def _lookups() -> Lookups:
    try:
        reader()
    except HaitangError as reason:
        if reason.kind is not NOT_READY:
            raise
        return Nothing()
    return InLake()


def try_chunk(resource: Resource, columns: Mapping[str, Any], chunk: Chunk, declarations: Declarations | None = None) -> Judged:
    """What would become of a chunk, under what is in force where no other declarations are given."""
    return Judge(plain(memory="200MB"), resource, columns, declarations or in_force(), _lookups(), ports.divisions().locate).judge(chunk)


def try_row(resource: Resource, columns: Mapping[str, Any], cells: Mapping[str, str]) -> list[dict[str, Any]]:
    """Why one row (heading -> text) would be refused; nothing where it would be accepted."""
    headings = list(dict.fromkeys(each for heading in columns.values() for each in ([heading] if isinstance(heading, str) else heading)))
    batch = pa.RecordBatch.from_pydict({name: pa.array([cells.get(name)], pa.string()) for name in headings})
    chunk = Chunk(batch, pa.array([1], pa.int64()), [], lambda rows: [""] * len(rows), {}, 1, 0, 0, done=True)
    refused = try_chunk(resource, columns, chunk).refused
    return refused[0].reasons if refused else []
