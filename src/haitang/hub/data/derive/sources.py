"""The relations behind a derivation's sources, as SQL over lake tables.

`hour_means_of('air_station')`: one row a station and hour, columns `station`, `hour` (timestamptz, its start) and one a property; a missing or invalid value
is null. A property that the device sends as hour means is taken as sent; one that it does not is the mean over its finer readings, never a mixture.
`day_means_of` likewise with `day`, a date in China.

A resource gives its current rows, with the columns of its declared fields: neither versions that were replaced nor rows in quarantine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from haitang.base.declarations import Declarations
from haitang.base.errors import error
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import columns_of as columns_of_resource
from haitang.hub.data.catalogue.tables import name_of
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.sql import Parsed, Source, parse
from haitang.hub.data.lake.buckets import date_sql, start_sql
from haitang.hub.data.lake.connection import quoted
from haitang.support.infrastructure.things.kinds import Device, Observed

NO_SUCH_DEVICE = error("derive.no_such_device", 404, "没有设备类型“{name}”。")

TOUCHED = "touched_bucket"  # temporary table with the column `bucket`: what is computed anew
READ = "read_bucket"  # likewise: what is read for it, where it looks back
_FINER = {"hour": ("hour mean", "minute mean", "instant"), "day": ("day mean", "hour mean", "minute mean", "instant")}


@dataclass(frozen=True)
class Only:
    """Restricts sources to the hours, days or keys (stations) of the temporary table `read`."""

    unit: Literal["hour", "day", "key"]
    read: str = TOUCHED

    def of_time(self, column: str) -> str:
        """A condition on a timestamptz column."""
        if self.unit == "key":
            return "true"
        bucket = start_sql(column, "hour") if self.unit == "hour" else date_sql(column)
        return f"{bucket} in (select bucket from {self.read})"

    def of_day(self, column: str) -> str:
        """A condition on a date column; hours cannot be told from it."""
        return f"{column} in (select bucket from {self.read})" if self.unit == "day" else "true"

    def of_key(self, column: str) -> str:
        return f"{column} in (select bucket from {self.read})" if self.unit == "key" else "true"


def read(sql: str, declarations: Declarations) -> Parsed:
    """A statement over the derivations and resources of a release; raises BAD_SQL."""
    return parse(sql, declarations.all(Derive).keys(), declarations.all(Resource).keys())


def _statistic(observed: Observed, unit: Literal["hour", "day"]) -> str | None:
    return next((name for name in _FINER[unit] if name in observed.statistics), None)


def device_of(declarations: Declarations, name: str) -> Device:
    found = declarations.all(Device).get(name)
    if found is None:
        raise NO_SUCH_DEVICE(name=name)
    return found


def statistics_of(device: Device, unit: Literal["hour", "day"]) -> dict[str, str]:
    """Property -> the statistic from which its mean over an hour or day is taken."""
    chosen = {name: _statistic(observed, unit) for name, observed in device.observes.items()}
    return {name: statistic for name, statistic in chosen.items() if statistic}


def columns_of(source: Source, declarations: Declarations) -> list[str] | None:
    """The columns of a table function or a resource; None for other sources."""
    if source.kind == "hour_means_of":
        return ["station", "hour", *statistics_of(device_of(declarations, source.name), "hour")]
    if source.kind == "day_means_of":
        return ["station", "day", *statistics_of(device_of(declarations, source.name), "day")]
    if source.kind == "resource":
        return list(columns_of_resource(declarations.get(Resource, source.name)))
    return None


def relation(source: Source, declarations: Declarations, things: Iterable[str], only: Only | None) -> str:
    """SQL of a source; `things` are those of its device type, `only` what is asked of it."""
    if source.kind == "hour_means_of":
        return _means(device_of(declarations, source.name), "hour", things, only)
    if source.kind == "day_means_of":
        return _means(device_of(declarations, source.name), "day", things, only)
    if source.kind == "lake":
        return _lake(source.name, only)
    if source.kind == "resource":
        columns = ", ".join(f'"{column}"' for column in columns_of(source, declarations) or [])
        return f"select {columns} from lake.{name_of(source.name)}"
    return _derived(declarations.get(Derive, source.name), only)


def _means(device: Device, unit: Literal["hour", "day"], things: Iterable[str], only: Only | None) -> str:
    columns = [
        f'max(mean) filter (property = {quoted(name)} and statistic = {quoted(statistic)}) as "{name}"'
        for name, statistic in statistics_of(device, unit).items()
    ]
    wanted = sorted({(name, statistic) for name, statistic in statistics_of(device, unit).items()})
    pairs = ", ".join(f"({quoted(name)}, {quoted(statistic)})" for name, statistic in wanted)
    named = ", ".join(quoted(thing) for thing in things) or "null"
    where = [f"thing in ({named})", f"(property, statistic) in ({pairs})"]
    if only:
        where += [only.of_time("start"), only.of_key("thing")]
    bucket = "start as hour" if unit == "hour" else "day"
    return f"select thing as station, {bucket}, {', '.join(columns)} from lake.rollup_{unit} where {' and '.join(where)} group by all"


def _lake(table: str, only: Only | None) -> str:
    time = {"observations": "period_start", "set_aside": "received_at"}.get(table, "start" if table.startswith("rollup_") else None)
    conditions = [only.of_time(time), only.of_key("thing")] if only and time else []
    return f"select * from lake.{table}" + (f" where {' and '.join(conditions)}" if conditions else "")


def _derived(derive: Derive, only: Only | None) -> str:
    conditions = []
    if only and derive.time == "hour":
        conditions.append(only.of_time("hour"))
    if only and derive.time == "day":
        conditions.append(only.of_day("day"))
    if only and "station" in derive.grain:
        conditions.append(only.of_key("station"))
    return f"select * from lake.derived_{derive.id}" + (f" where {' and '.join(conditions)}" if conditions else "")
