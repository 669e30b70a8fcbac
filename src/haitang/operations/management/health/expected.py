"""How much of what devices should have told in the last 24 hours the lake has.

Counted are periods: each hour mean, each minute mean, and each instant value where the type says how often it comes (`every`); several readings of one period are one
as far as the rollup tells. A period whose readings are all invalid counts as received. Means of a day are left out: within 24 hours none need be complete.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

import duckdb

from haitang.base.clock import CHINA
from haitang.base.declarations import in_force, release_digest
from haitang.base.durations import parse_span
from haitang.base.errors import HaitangError
from haitang.hub.data.lake.queries import dicts
from haitang.support.infrastructure.things.kinds import Device

HOURS = 24
GRACE = timedelta(minutes=30)  # after an hour for its values to come
KEPT = 30.0  # seconds that an answer of the lake is good for
_SQL = """
with t as (select unnest(string_split(?, chr(10))) as thing, unnest(string_split(?, chr(10))) as device),
     e as (select unnest(?::varchar[]) as device, unnest(?::varchar[]) as property, unnest(?::varchar[]) as statistic, unnest(?::double[]) as hourly)
select thing, sum(least(greatest(count, 1), hourly)) as received
from lake.rollup_hour join t using (thing) join e using (device, property, statistic)
where start >= ? and start < ? and day between ? and ? group by thing
"""


@dataclass(frozen=True)
class Window:
    """The last 24 whole hours whose values have had time to come: [start, end)."""

    start: datetime
    end: datetime

    @classmethod
    def before(cls, now: datetime) -> "Window":
        end = (now - GRACE).replace(minute=0, second=0, microsecond=0)
        return cls(end - timedelta(hours=HOURS), end)

    def hours_since(self, first: float | None) -> int:
        """The whole hours of it in which a thing was there, since it was first heard (Unix seconds); one that was never heard should have been in all of them."""
        if first is None or first <= self.start.timestamp():
            return HOURS
        return max(0, int((self.end.timestamp() - first) / 3600))


def hourly(device: Device, *, instants: bool = True) -> dict[tuple[str, str], float]:
    """(property, statistic) -> how many values an hour a device of this type should tell; a recorded series that is replayed has no `instants`."""
    every = parse_span(device.every) if device.every and instants else None
    minutes = device.hj212.minute_interval if device.hj212 else 1
    found: dict[tuple[str, str], float] = {}
    for name, observed in device.observes.items():
        for statistic in observed.statistics:
            if statistic == "instant" and every:
                found[name, statistic] = timedelta(hours=1) / every
            elif statistic.startswith("minute"):
                found[name, statistic] = 60 / minutes
            elif statistic.startswith("hour"):
                found[name, statistic] = 1.0
    return found


_kept: dict[tuple[datetime, str], tuple[float, Mapping[str, float]]] = {}
_lock = Lock()


def received(things: Iterable[tuple[str, str]], window: Window) -> Mapping[str, float] | None:
    """Thing -> how many of its expected values the lake has; None while the lake cannot be read. `things`: every (id, device type)."""
    key = (window.end, release_digest())
    with _lock:
        found = _kept.get(key)
        if found and time.monotonic() - found[0] < KEPT:
            return found[1]
        try:
            answer = _read(list(things), window)
        except (duckdb.Error, HaitangError):  # it is not there before the writer first ran
            return None
        _kept.clear()
        _kept[key] = (time.monotonic(), answer)
        return answer


def _read(things: list[tuple[str, str]], window: Window) -> Mapping[str, float]:
    asked = [(id, *of, rate) for id, device in in_force().all(Device).items() for of, rate in hourly(device).items()]
    if not things or not asked:
        return {}
    of_things = ["\n".join(column) for column in zip(*things, strict=True)]  # as a list of ten thousand they take seconds to hand over
    columns = [*of_things, *(list(column) for column in zip(*asked, strict=True))]
    days = [at.astimezone(CHINA).date() for at in (window.start, window.end)]
    return {row["thing"]: float(row["received"]) for row in dicts(_SQL, [*columns, window.start, window.end, *days])}
