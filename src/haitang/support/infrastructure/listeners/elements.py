"""Our own form of an observation in JSON, as HTTP and MQTT devices may send it, and how it becomes one of the stream.

    {"property": "pm2_5", "value": 35.2, "at": "2026-03-01T08:00:00+08:00"}
    {"property": "pm2_5", "value": 33.0, "statistic": "mean", "start": "…T08:00:00+08:00", "end": "…T09:00:00+08:00"}

Without a time it was observed when it was received. An element says neither thing nor origin: both follow from the credential.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from haitang.base.text import T
from haitang.support.infrastructure.listeners.instants import AHEAD, EARLIEST, micros
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.stream.messages import Observation, Statistic

Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Element(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One observation as a device writes it. A GeoJSON geometry is an object."""

    property: str
    value: float | bool | str | dict[str, Any]
    at: Instant | None = None
    start: Instant | None = None
    end: Instant | None = None
    statistic: Statistic = "instant"
    quality: Literal["normal", "suspect", "invalid"] = "normal"
    unit: str | None = None


def is_timeless(element: Element) -> bool:
    """Whether it does not say when."""
    return element.at is None and (element.start is None or element.end is None)


class Refused(msgspec.Struct):
    """Why an element is not taken: `code` for programs; `what` and `mend` are zh-Hans texts of the catalogue with `{…}` places for `data`."""

    index: int
    path: str
    code: str
    what: str
    mend: str
    data: dict[str, Any] = {}


def read(
    elements: Sequence[Element], known: Known, ref: str, now: datetime, positions: Sequence[int] | None = None
) -> tuple[list[Observation], list[Refused]]:
    """Observations and what is refused. `positions`: where each element stood in the message, where some of it could not be decoded."""
    good: list[Observation] = []
    bad: list[Refused] = []
    properties, received = known.meaning.properties, micros(now)
    earliest, latest = micros(EARLIEST), micros(now + AHEAD)
    seen: set[tuple[str, str, int, int]] = set()
    for index, element in enumerate(elements):
        declared = properties.get(element.property)
        start, end = _period(element, received)
        key = (element.property, element.statistic, start, end)
        fits = earliest <= start <= end <= latest and (element.statistic == "instant") is (start == end)
        clear = (element.statistic == "instant") is (element.start is None and element.end is None)
        if declared is None or not fits or not clear or key in seen or (element.unit is not None and element.unit != declared[0]):
            at = positions[index] if positions else index
            bad.append(_why(element, at, known, fits=fits and clear, early=start < earliest, late=end > latest, twice=key in seen))
            continue
        seen.add(key)
        good.append(_observation(element, declared, known, ref, start, end, received))
    return good, bad


def _period(element: Element, received: int) -> tuple[int, int]:
    if element.at is not None:
        at = micros(element.at)
        return at, at
    if element.start is None or element.end is None:  # timeless
        return received, received
    return micros(element.start), micros(element.end)


def _observation(
    element: Element, declared: tuple[str, tuple[float, float] | None], known: Known, ref: str, start: int, end: int, received: int
) -> Observation:
    value, (unit, span), quality = element.value, declared, element.quality
    number = text = boolean = geometry = None
    if value.__class__ is float:
        number = value
        if span and not span[0] <= value <= span[1]:
            quality = "invalid"  # outside what the device can measure
    elif value.__class__ is bool:
        boolean = value
    elif value.__class__ is str:
        text = value
    else:
        geometry = msgspec.json.encode(value).decode()
    return Observation(
        known.node, known.thing, element.property, element.statistic, start, end, unit, quality, known.origin, ref, received,
        number, text, boolean, geometry,
    )  # fmt: skip


def _why(element: Element, at: int, known: Known, *, fits: bool, early: bool, late: bool, twice: bool) -> Refused:
    declared = known.meaning.properties.get(element.property)
    if declared is None:
        names = "、".join(sorted(known.meaning.properties)[:30])
        return Refused(
            at,
            "property",
            "unknown_property",
            T("设备类型没有声明项目“{property}”"),
            T("改用已声明的项目：{names}"),
            {"property": element.property[:64], "names": names},
        )
    if early:
        return Refused(at, "at", "bad_time", T("时间早于 2000 年"), T("校准设备时钟"))
    if late:
        return Refused(
            at, "at", "future_time", T("时间比平台时钟晚 10 分钟以上"), T("校准设备时钟，并写明时区，例如 2026-03-01T08:00:00+08:00")
        )
    if not fits:
        return Refused(at, "statistic", "bad_period", T("统计方式与时间不相符"), T("instant 用 at，其余用 start 和 end，且 start 早于 end"))
    if twice:
        return Refused(at, "", "twice", T("同一项目同一时间在一条消息里出现两次"), T("只保留一个值"))
    return Refused(at, "unit", "wrong_unit", T("单位与声明不符，声明为“{unit}”"), T("换算成声明的单位，或去掉 unit"), {"unit": declared[0]})
