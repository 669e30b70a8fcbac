"""Which recorded day today gets: one on which something happens, so that the first minute of a visitor shows alarms of today. Chosen once an instance."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from haitang.base.clock import CHINA
from haitang.base.declarations import in_force
from haitang.hub.data.rules.buffer import Entry
from haitang.hub.data.rules.definition import define
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import State, step
from haitang.hub.data.rules.watch import parse_watch
from haitang.support.infrastructure.listeners.hj212.replay import Series, Values
from haitang.support.infrastructure.things.kinds import Device


def openings(series: Series, device: str) -> list[int]:
    """The hours of the series (from its first midnight, over all stations) whose end opens an alarm that opens a case."""
    found: list[int] = []
    for rule in in_force().all(Rule).values():
        watch = parse_watch(rule.watches)
        if rule.opens and watch.device == device and watch.statistic == "hour mean":
            for hours in series.stations.values():
                found += _of(rule, device, watch.period, str(watch.observed), hours)
    return sorted(found)


def _of(rule: Rule, device: str, period: int, observed: str, hours: Sequence[Values]) -> list[int]:
    definition, state, found = define(rule, in_force().get(Device, device)), State(), []
    for number, values in enumerate(hours):
        end = (number + 1) * period
        told = step(definition, state, Entry(end - period, end, values.get(observed), end, "replay"))
        found += [number for transition in told if transition.kind == "opened"]
    return found


def best_shift(opened: Sequence[int], days: int, hour: int) -> int:
    """How many days on the series is to begin, so that the day before `hour` of the present day has the most openings, and the hours to come another."""
    if not days:
        return 0

    def score(day: int) -> float:
        now, whole = day * 24 + hour, days * 24
        ago = [(now - number) % whole for number in opened]
        return sum(0 < back <= 12 for back in ago) + 0.5 * sum(12 < back <= 36 for back in ago) + sum(back > whole - 3 for back in ago)

    return max(range(days), key=score)


def aimed(series: Series, device: str, now: datetime) -> timedelta:
    """By how much to move the series."""
    local = now.astimezone(CHINA)
    wanted = best_shift(openings(series, device), series.days if series.stations else 0, local.hour)
    played = (local.date() - series.first_day).days % series.days if series.stations else 0
    return timedelta(days=played - wanted)


def moved(series: Series, by: timedelta) -> Series:
    """The series with its days moved: what was played on a day is played `by` later."""
    return replace(series, first_day=series.first_day + by)
