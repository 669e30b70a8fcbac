"""What the lake can hold. A listener has checked its content already; this is the last gate, so that no batch can stop the writer."""

import math
from collections.abc import Iterable

import msgspec

from haitang.hub.data.lake.buckets import WIDTH
from haitang.support.infrastructure.stream.messages import Observation, SetAside

FIRST = WIDTH["day"]  # 1970-01-02: bucket arithmetic stays above zero in every zone
LAST = 253_370_764_800_000_000  # 9999-01-01


def _storable(instant: int) -> bool:
    return FIRST <= instant < LAST


def _refusal(row: Observation) -> tuple[str, str] | None:
    if not (_storable(row.period_start) and _storable(row.period_end) and row.period_start <= row.period_end):
        return "bad_time", f"period [{row.period_start}, {row.period_end}) cannot be stored"
    if row.number is not None and not math.isfinite(row.number):
        return "not_a_number", f"{row.property} is {row.number}"
    return None


def _aside(row: Observation, reason: str, detail: str) -> SetAside:
    raw = msgspec.json.encode(row).decode()
    return SetAside(row.node, row.thing, reason, detail, raw, row.origin, row.source_ref, row.received_at)


def admit(rows: Iterable[Observation], now: int) -> tuple[list[Observation], list[SetAside]]:
    """Split rows into those that can be stored and those set aside with the reason. A receipt time that cannot be stored becomes `now` (Unix microseconds)."""
    good, bad = [], []
    for row in rows:
        if not _storable(row.received_at):
            row = msgspec.structs.replace(row, received_at=now)
        if type(row.number) is int:
            row = msgspec.structs.replace(row, number=float(row.number))
        if refusal := _refusal(row):
            bad.append(_aside(row, *refusal))
        else:
            good.append(row)
    return good, bad


def admit_aside(rows: Iterable[SetAside], now: int) -> list[SetAside]:
    return [row if _storable(row.received_at) else msgspec.structs.replace(row, received_at=now) for row in rows]
