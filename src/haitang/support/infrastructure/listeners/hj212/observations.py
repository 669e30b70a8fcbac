"""What a packet says was observed.

| command | becomes |
|---|---|
| 2011 x-Rtd | an instant at DataTime, or at x-SampleTime where given |
| 2051, 2061, 2031: x-Avg, -Min, -Max | mean, min, max of the minute period, hour, day that DataTime begins: [start, end) |
| the same: x-Cou | sum, of the property declared for `<code>-Cou`: amounts have a unit of their own |
| x-ZsRtd, -ZsAvg, ... (converted values) | as above, of the property declared for `<code>-Zs` |
| x-Data, -DayData, -NightData (noise) | mean, min (LMn), max (LMx) or covered (percentiles) of the properties declared for `<code>`, `-Day`, `-Night` |
| 2111 x-Avg (furnace, 2025) | mean of five minutes |
| 2021 SBn-RS, 2041 SBn-RT | instant state; sum of hours of a day, of the properties declared for `SBn-RS`, `SBn-RT` |

Property and unit come from the device's declaration, never from the code. Quality: x-Flag `N` or none is `normal`, another is `flag:X`; a value outside the
declared range is no measurement and is `invalid` (as T, over range, would be); a period that does not begin where it should is `suspect`. Late data is data.
All else that a packet brings is set aside with the packet, once for each reason, so that what was answered is kept whole.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from haitang.support.infrastructure.listeners.hj212 import times
from haitang.support.infrastructure.listeners.hj212.packet import Packet
from haitang.support.infrastructure.listeners.hj212.sources import Source, Target
from haitang.support.infrastructure.stream.messages import Observation, SetAside, Statistic

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\Z", re.ASCII)
_PERIODS = {"2061": timedelta(hours=1), "2031": timedelta(days=1), "2041": timedelta(days=1), "2111": timedelta(minutes=5)}
_PERIOD_SUFFIXES: dict[str, tuple[str, Statistic]] = {
    "avg": ("", "mean"), "min": ("", "min"), "max": ("", "max"), "cou": ("-cou", "sum"),
    "zsavg": ("-zs", "mean"), "zsmin": ("-zs", "min"), "zsmax": ("-zs", "max"),
    "data": ("", "covered"), "daydata": ("-day", "covered"), "nightdata": ("-night", "covered"),
}  # fmt: skip
_SUFFIXES: dict[str, dict[str, tuple[str, Statistic]]] = {
    "2011": {"rtd": ("", "instant"), "zsrtd": ("-zs", "instant")},
    "2021": {"rs": ("-rs", "instant")},
    "2031": _PERIOD_SUFFIXES,
    "2041": {"rt": ("-rt", "sum")},
    "2051": _PERIOD_SUFFIXES,
    "2061": _PERIOD_SUFFIXES,
    "2111": {"avg": ("", "mean")},
}
_NOISE: dict[str, Statistic] = {"leq": "mean", "ld": "mean", "ln": "mean", "ldn": "mean", "lmx": "max", "lmn": "min"}
_CONSUMED = {"flag", "sampletime"}
LATE = timedelta(days=1) // timedelta(microseconds=1)
_EARLIEST, _AHEAD = times.micros(times.EARLIEST), times.AHEAD // timedelta(microseconds=1)


@dataclass
class Reading:
    """What one packet became. `late`: it tells of more than a day ago (counted; late data is data)."""

    observations: list[Observation] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    late: bool = False


@dataclass(frozen=True)
class _Span:
    """A period or an instant, in Unix microseconds; `sure`: it begins where it should."""

    start: int
    end: int
    sure: bool


class _Refused(Exception):
    """A whole packet is set aside."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def interpret(packet: Packet, source: Source, *, raw: str, received: datetime, data_time: str | None = None) -> Reading:
    """Read an admitted station's packet. `data_time` is that of the first part, for a part that lacks its own."""
    reading, refused = Reading(), dict[str, list[str]]()
    now = times.micros(received)
    try:
        span = _span(packet, source, packet.values.get("datatime") or data_time or "", now)
        reading.late = now - span.end > LATE
        _read(packet, source, span, now, reading.observations, refused)
        if not reading.observations and not refused:
            refused["empty"] = ["no values"]
    except _Refused as whole:
        refused[whole.reason] = [whole.detail]
    if refused:
        reading.set_aside = [set_aside(source, reason, details, raw, packet.ref, received) for reason, details in refused.items()]
    return reading


def set_aside(source: Source, reason: str, details: list[str], raw: str, ref: str, received: datetime) -> SetAside:
    """Content that stays as it came."""
    return SetAside(source.node, source.thing, reason, ", ".join(details)[:500], raw, source.origin, ref, times.micros(received))


def _span(packet: Packet, source: Source, told: str, now: int) -> _Span:
    """The period, or the instant, that a packet tells of."""
    if packet.cn not in _SUFFIXES:
        raise _Refused("not_an_observation", f"CN={packet.cn}")
    start = times.read(told)
    if start is None or start < times.EARLIEST:
        raise _Refused("bad_time", f"DataTime={told}")
    if packet.cn in ("2011", "2021"):
        at = times.micros(start)
        span = _Span(at, at, True)
    else:
        length = _PERIODS.get(packet.cn) or source.minutes
        begin, sure = times.aligned(start, length)
        span = _Span(times.micros(begin), times.micros(begin + length), sure)
    if span.end > now + _AHEAD:
        raise _Refused("future_time", f"DataTime={told}")
    return span


def _read(packet: Packet, source: Source, span: _Span, now: int, good: list[Observation], refused: dict[str, list[str]]) -> None:
    """Each item of each factor: an observation, or the reason why it is none."""
    known, ref, target_of = _SUFFIXES[packet.cn], packet.ref, source.meanings.target
    for code, told in packet.factors.items():
        flag = told.get("flag", "")
        for suffix, value in told.items():
            if suffix in _CONSUMED:
                continue
            if suffix not in known:
                refused.setdefault("unknown_item", []).append(f"{code}-{suffix}")
                continue
            variant, statistic = known[suffix]
            target = target_of(code, variant)
            if target is None:
                refused.setdefault("unknown_factor", []).append(code + variant)
            elif not _NUMBER.match(value):
                refused.setdefault("not_a_number", []).append(f"{code}={value}")
            else:
                number = float(value)
                start, end = span.start, span.end
                if statistic == "instant":
                    start = end = _moment(told, start, now) if "sampletime" in told else start
                elif statistic == "covered":
                    statistic = _NOISE.get(code.lower(), statistic)
                quality = _quality(flag, number, target, span.sure)
                good.append(
                    Observation(
                        source.node,
                        source.thing,
                        target.property,
                        statistic,
                        start,
                        end,
                        target.unit,
                        quality,
                        source.origin,
                        ref,
                        now,
                        number,
                    )
                )


def _moment(told: dict[str, str], start: int, now: int) -> int:
    sampled = times.read(told["sampletime"])
    at = times.micros(sampled) if sampled else start
    return at if _EARLIEST <= at <= now + _AHEAD else start


def _quality(flag: str, number: float, target: Target, sure: bool) -> str:
    if flag not in ("", "N") and (mark := flag.upper()) != "N":
        return f"flag:{mark[:8]}"
    if target.range and not target.range[0] <= number <= target.range[1]:
        return "invalid"
    return "normal" if sure else "suspect"
