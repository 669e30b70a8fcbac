"""The bytes of a row that its evidence block covers.

A row's canonical form is the UTF-8 JSON array of its wire fields in the order of `Observation` (or `SetAside`): times as Unix microseconds, numbers as the
shortest text that reads back to the same double, no spaces, absent values null. It can be made again from the stored row at any time, so a row can always
be shown to belong to its block: leaf `block_index` of the RFC 6962 tree whose root `blocks.root` keeps.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from haitang.hub.data.lake.buckets import micros
from haitang.support.infrastructure.stream.messages import Observation, SetAside

_encode = msgspec.json.Encoder().encode


def canonical(row: Observation | SetAside) -> bytes:
    """The canonical bytes of a row. A number must be a float (the wire decodes it as one)."""
    return _encode(row)


def _field(value: Any) -> Any:
    return micros(value) if isinstance(value, datetime) else value


def observation_of(row: Mapping[str, Any]) -> Observation:
    """The observation that a row of `observations` (column -> value, times aware) stores."""
    return Observation(*(_field(row[name]) for name in Observation.__struct_fields__))


def set_aside_of(row: Mapping[str, Any]) -> SetAside:
    """The content that a row of `set_aside` stores."""
    return SetAside(*(_field(row[name]) for name in SetAside.__struct_fields__))
