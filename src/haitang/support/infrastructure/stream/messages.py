"""What travels on the stream.

The observation is fixed by the house plan (docs/explanation/observation.md); a change needs an ADR. Times are Unix microseconds, UTC.
"""

from typing import Literal

import msgspec

Statistic = Literal["instant", "mean", "min", "max", "sum", "covered"]
Origin = Literal["live", "replay", "simulated"]


class Observation(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One observed value.

    `period_start` and `period_end` are [start, end), equal for an instant. Exactly one of number, text, boolean, geometry (GeoJSON text) is set.
    `quality`: `normal`, `suspect`, `invalid`, or the source's declared flag as `flag:D` (an invalid or flagged-bad value is a missing value to rules
    and derivations; `invalid` is decided by `is_valid`). `source_ref`: message id or file row it came from.
    The same (node, thing, property, statistic, period, source_ref) sent twice is one.
    """

    node: str
    thing: str
    property: str
    statistic: Statistic
    period_start: int
    period_end: int
    unit: str
    quality: str
    origin: Origin
    source_ref: str
    received_at: int
    number: float | None = None
    text: str | None = None
    boolean: bool | None = None
    geometry: str | None = None


class SetAside(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Content that was received and answered but could not become an observation: kept raw, with the reason, and counted.

    `reason` is a code: unknown_thing, unknown_factor, out_of_range, bad_time, future_time, not_a_number, decryption_failed, ...
    """

    node: str
    thing: str
    reason: str
    detail: str
    raw: str
    origin: Origin
    source_ref: str
    received_at: int


class Batch(msgspec.Struct, frozen=True):
    """What all connections of a listener brought since its last publish: one JetStream message. `id` is its Nats-Msg-Id."""

    id: str
    listener: str
    received_at: int
    release: str
    observations: list[Observation] = []
    set_aside: list[SetAside] = []


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Batch).decode

# The subject a listener publishes to is f"{SUBJECT}.{listener}"; the stream keeps a message until every durable consumer has acknowledged it.
STREAM = "OBSERVATIONS"
SUBJECT = "observations"


def is_valid(quality: str) -> bool:
    """Whether a value of this quality counts. HJ 212 flags that count: N (normal) and S (set by hand)."""
    return quality in ("normal", "suspect", "flag:N", "flag:S")
