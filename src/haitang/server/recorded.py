"""What a device of this instance has observed, or a gathered resource has recorded, as a series to be replayed: hourly means out of the lake."""

from datetime import datetime, timedelta

from haitang.base import clock
from haitang.base.clock import CHINA
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import name_of, stored_columns
from haitang.hub.data.lake import queries
from haitang.support.infrastructure.listeners.hj212.replay import HOUR, Series, Values
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing

NOTHING_RECORDED = error("server.nothing_recorded", 404, "设备“{thing}”在最近 {days} 天里没有可以回放的小时值。")
NO_SERIES_DECLARED = error(
    "server.no_series_declared", 409, "数据资源“{resource}”没有声明怎样回放。请在声明里写 series：time、thing、device 和 properties。"
)
NOTHING_GATHERED = error("server.nothing_gathered", 404, "数据资源“{resource}”还没有可以回放的记录。")


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


def of_resource(resource: Resource, days: int) -> Series:
    """The last `days` days that a resource has recorded, by the things that it names; raises NO_SERIES_DECLARED, NOTHING_GATHERED."""
    series, table = resource.series, name_of(resource.id)
    if series is None:
        raise NO_SERIES_DECLARED(resource=resource.id)
    if not queries.on_reader(lambda lake: stored_columns(lake, table)):
        raise NOTHING_GATHERED(resource=resource.id)
    shift = 8 * 3600 if resource.fields[series.time].type == "date" else 0  # a date is its midnight in China
    hour = f'((epoch("{series.time}")::bigint - {shift}) // 3600)'
    means = ", ".join(f'avg("{field}")::double as "{property}"' for property, field in series.properties.items())
    rows = queries.dicts(  # names of fields are words, as their declaration was checked
        f'select "{series.thing}"::varchar as "_thing", {hour} as "_hour", {means} from lake.{table} '  # noqa: S608 - see above
        f'where "{series.time}" is not null and "{series.thing}" is not null group by all'
    )
    if not rows:
        raise NOTHING_GATHERED(resource=resource.id)
    last = datetime.fromtimestamp(max(row["_hour"] for row in rows) * 3600, CHINA)
    start = last.replace(hour=0) - timedelta(days=days - 1)
    stations: dict[str, list[Values]] = {}
    for row in rows:
        at = (datetime.fromtimestamp(row.pop("_hour") * 3600, CHINA) - start) // HOUR
        hours = stations.setdefault(row.pop("_thing"), [{} for _ in range(days * 24)])
        if at >= 0:
            hours[at] = {name: value for name, value in row.items() if value is not None}
    return Series({name: hours for name, hours in sorted(stations.items()) if any(hours)}, start.date())
