"""Structs of the stream to Arrow columns of the lake, column by column."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import pyarrow as pa

from haitang.hub.data.lake.buckets import day_number
from haitang.hub.data.lake.readings import span
from haitang.support.infrastructure.stream.messages import Observation, SetAside

_INSTANT = pa.timestamp("us", tz="UTC")
_TYPES: dict[str, Any] = {
    "period_start": _INSTANT,
    "period_end": _INSTANT,
    "received_at": _INSTANT,
    "number": pa.float64(),
    "boolean": pa.bool_(),
}


def _wire_columns(rows: Sequence[Observation | SetAside], fields: Sequence[str]) -> dict[str, Any]:
    return {name: pa.array(map(attrgetter(name), rows), _TYPES.get(name, pa.string()), size=len(rows)) for name in fields}


def _stored_columns(rows: Sequence[Any], block: int, release: str, times: Sequence[int]) -> dict[str, Any]:
    return {
        "day": pa.array(map(day_number, times), pa.int32(), size=len(rows)).cast(pa.date32()),
        "block": pa.repeat(pa.scalar(block, pa.int64()), len(rows)),
        "block_index": pa.array(range(len(rows)), pa.int32()),
        "release": pa.repeat(pa.scalar(release, pa.string()), len(rows)),
    }


def observation_table(rows: Sequence[Observation], block: int, release: str) -> Any:
    """An Arrow table with the columns of `observations`; row i is leaf i of `block`."""
    spans = pa.array((span(row.period_end - row.period_start) for row in rows), pa.string(), size=len(rows))
    stored = _stored_columns(rows, block, release, [row.period_start for row in rows])
    return pa.table({**_wire_columns(rows, Observation.__struct_fields__), "span": spans, **stored})


def set_aside_table(rows: Sequence[SetAside], block: int, release: str) -> Any:
    """An Arrow table with the columns of `set_aside`; row i is leaf i of `block`."""
    stored = _stored_columns(rows, block, release, [row.received_at for row in rows])
    return pa.table({**_wire_columns(rows, SetAside.__struct_fields__), **stored})


KEY = ("node", "thing", "property", "statistic", "period_start", "period_end", "source_ref")
key_of = attrgetter(*KEY)


def key_table(rows: Sequence[Observation]) -> Any:
    """An Arrow table of the keys by which the same observation is known again, with its `position` in `rows`."""
    return pa.table({"position": pa.array(range(len(rows)), pa.int32()), **_wire_columns(rows, KEY)})
