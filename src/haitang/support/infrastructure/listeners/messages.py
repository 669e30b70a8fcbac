"""A device's JSON message, in its own words or in ours, as observations.

Whatever of it cannot become an observation is set aside with the whole message and the reason, as with HJ 212: what is answered is kept.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.elements import Element, read
from haitang.support.infrastructure.listeners.instants import AHEAD, EARLIEST, EPOCH, micros
from haitang.support.infrastructure.listeners.known import Field, Known, Path
from haitang.support.infrastructure.stream.messages import Observation, SetAside
from haitang.support.infrastructure.things.kinds import Message

_elements = msgspec.json.Decoder(list[Element])
_element = msgspec.json.Decoder(Element)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\s*\Z", re.ASCII)  # many devices write numbers as text
_MISSING = object()
DEEPEST = 500  # characters of detail kept


@dataclass
class Reading:
    """What one message became."""

    observations: list[Observation] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)


@dataclass(frozen=True)
class _Problem:
    reason: str
    detail: str


def interpret(payload: bytes, known: Known, *, now: datetime, ref: str = "") -> Reading:
    """Read a message of `known`. `ref`: its id, where the transport knows one; else the message says it, or its digest is the id."""
    ref = ref or "sha256:" + hashlib.sha256(payload).hexdigest()[:32]
    try:
        if known.meaning.message is None:
            return _ours(payload, known, now, ref)
        return _theirs(payload, known, known.meaning.message, now, ref)
    except msgspec.ValidationError as reason:
        return Reading([], [aside(payload, known, "not_as_agreed", str(reason), ref, now)])
    except (msgspec.DecodeError, RecursionError) as reason:
        return Reading([], [aside(payload, known, "not_json", str(reason), ref, now)])


def aside(payload: bytes, known: Known, reason: str, detail: str, ref: str, now: datetime) -> SetAside:
    """Content that stays as it came."""
    raw = payload.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return SetAside(known.node, known.thing, reason, detail[:DEEPEST], raw, known.origin, ref, micros(now))


def _ours(payload: bytes, known: Known, now: datetime, ref: str) -> Reading:
    elements = [_element.decode(payload)] if payload.lstrip()[:1] == b"{" else _elements.decode(payload)
    good, bad = read(elements, known, ref, now)
    refused: dict[str, list[str]] = {}
    for each in bad:
        refused.setdefault(each.code, []).append(f"[{each.index}] {elements[each.index].property[:64]}")
    if not elements:
        refused["empty"] = ["no observations"]
    return Reading(good, [aside(payload, known, reason, ", ".join(details), ref, now) for reason, details in refused.items()])


def _theirs(payload: bytes, known: Known, message: Message, now: datetime, ref: str) -> Reading:
    told = msgspec.json.decode(payload)
    own_id = at(told, _path(message.id)) if message.id else None
    if isinstance(own_id, str | int | float) and not isinstance(own_id, bool):
        ref = str(own_id)[:128]
    reading, refused = Reading(), dict[str, list[str]]()
    for each in _readings(told, message):
        for found in _values(each, known, message, now, ref):
            if isinstance(found, _Problem):
                refused.setdefault(found.reason, []).append(found.detail)
            else:
                reading.observations.append(found)
    if not reading.observations and not refused:
        refused["empty"] = ["none of the declared paths"]
    reading.set_aside = [aside(payload, known, reason, ", ".join(details), ref, now) for reason, details in refused.items()]
    return reading


def _readings(told: Any, message: Message) -> list[Any]:
    found = at(told, _path(message.each)) if message.each else told
    return found if isinstance(found, list) else [found]


def _values(told: Any, known: Known, message: Message, now: datetime, ref: str) -> Iterator[Observation | _Problem]:
    start = _time(told, message, now)
    if isinstance(start, _Problem):
        yield start
        return
    for each in known.meaning.fields:
        value = at(told, each.path)
        if value is not _MISSING and value is not None:
            yield _value(each, value, start, known, now, ref)


def _value(each: Field, value: Any, start: datetime, known: Known, now: datetime, ref: str) -> Observation | _Problem:
    unit, span = known.meaning.properties[each.property]
    begin = micros(start)
    number = text = boolean = None
    quality = "normal"
    if isinstance(value, str) and _NUMBER.match(value):
        value = float(value)
    if isinstance(value, bool):
        boolean = value
    elif isinstance(value, int | float):
        number = float(value) * each.scale + each.offset
        if not math.isfinite(number):
            return _Problem("not_a_number", ".".join(each.path))
        quality = "invalid" if span and not span[0] <= number <= span[1] else "normal"
    elif isinstance(value, str):
        text = value
    else:
        return _Problem("not_a_value", ".".join(each.path))
    return Observation(
        known.node, known.thing, each.property, each.kind.statistic, begin, begin + each.kind.length, unit, quality, known.origin, ref,
        micros(now), number, text, boolean,
    )  # fmt: skip


def _time(told: Any, message: Message, now: datetime) -> datetime | _Problem:
    """The time of a reading, that of receipt where the declaration names none."""
    if message.time is None:
        return now
    written = at(told, _path(message.time))
    found = _moment(written, message.time_format)
    if found is None or found < EARLIEST:
        return _Problem("bad_time", f"{message.time}={str(written)[:40] if written is not _MISSING else ''}")
    return found if found <= now + AHEAD else _Problem("future_time", f"{message.time}={str(written)[:40]}")


def _moment(written: Any, form: str) -> datetime | None:
    """A time without zone is China's civil time."""
    try:
        if form == "iso":
            found = datetime.fromisoformat(written) if isinstance(written, str) else None
            return found.replace(tzinfo=CHINA) if found and found.tzinfo is None else found
        scale = 1e6 if form == "seconds" else 1e3
        return None if isinstance(written, bool) else EPOCH + timedelta(microseconds=round(float(written) * scale))
    except (ValueError, TypeError, OverflowError):
        return None


def _path(told: str) -> Path:
    return tuple(told.split("."))


def at(told: Any, path: Path) -> Any:
    """What stands at a path of keys and positions, _MISSING where nothing does."""
    for step in path:
        if isinstance(told, dict):
            told = told.get(step, _MISSING)
        elif isinstance(told, list) and step.isascii() and step.isdigit() and int(step) < len(told):
            told = told[int(step)]
        else:
            return _MISSING
    return told
