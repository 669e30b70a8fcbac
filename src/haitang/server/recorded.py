"""What a device of this instance has observed, as a series to be replayed: hourly means out of the lake."""

from datetime import datetime, timedelta

from haitang.base import clock
from haitang.base.clock import CHINA
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.hub.data.lake import queries
from haitang.support.infrastructure.listeners.hj212.replay import HOUR, Series, Values
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing

NOTHING_RECORDED = error("server.nothing_recorded", 404, "设备“{thing}”在最近 {days} 天里没有可以回放的小时值。")


def of(thing: Thing, days: int) -> Series:
    """The last `days` whole days of a thing; raises NOTHING_RECORDED."""
    end = clock.now().astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    start = end - timedelta(days=days)
    device = in_force().all(Device).get(thing.device)
    hours: list[Values] = [{} for _ in range(days * 24)]
    for name, observed in (device.observes if device else {}).items():
        statistic = next((s for s in ("hour mean", "instant") if s in observed.statistics), None)
        for at, value in _means(thing.id, name, statistic, start, end) if statistic else ():
            hours[(at - start) // HOUR][name] = value
    if not any(hours):
        raise NOTHING_RECORDED(thing=thing.title, days=days)
    return Series({thing.id: hours}, start.date())


def _means(thing: str, property: str, statistic: str, start: datetime, end: datetime) -> list[tuple[datetime, float]]:
    found = queries.series(thing, property, statistic, start, end, "hour" if statistic == "instant" else None).to_pydict()
    return [(at, value) for at, value in zip(found["time"], found["mean"], strict=True) if value is not None]
