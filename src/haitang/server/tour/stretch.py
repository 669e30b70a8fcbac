"""Finds, in the recorded series that ships with the place, hours that really raise an alarm: nothing is made up for the tour."""

from collections.abc import Iterator
from dataclasses import dataclass

from haitang.base.declarations import in_force
from haitang.hub.data.rules.buffer import Entry
from haitang.hub.data.rules.definition import define
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import Definition, State, step
from haitang.hub.data.rules.watch import Watch, parse_watch
from haitang.server.tour.report import NotHeld
from haitang.support.infrastructure.listeners.hj212.replay import Series, Values
from haitang.support.infrastructure.things.kinds import Device

BEFORE = 5  # hours that are sent ahead of the one that raises the alarm


@dataclass(frozen=True)
class Stretch:
    """Consecutive recorded hours of one station; the last one raises the alarm of `rule`."""

    rule: Rule
    device: str
    recorded: str
    hours: list[Values]


def find(series: Series) -> Stretch:
    """The first stretch that raises an alarm which opens a case; raises NotHeld where the series has none."""
    for rule in sorted(in_force().all(Rule).values(), key=lambda rule: rule.for_ is None):  # one that must hold for a while says more
        watch = parse_watch(rule.watches)
        if not rule.opens or watch.statistic != "hour mean":
            continue
        definition = define(rule, in_force().get(Device, watch.device))
        for recorded, hours in series.stations.items():
            for at in _openings(definition, watch, hours):
                stretch = hours[at - BEFORE : at + 1]
                if at >= BEFORE and all(watch.observed in values for values in stretch) and _alone(definition, watch, stretch):
                    return Stretch(rule, watch.device, recorded, stretch)
    raise NotHeld("no stretch of the recorded series raises an alarm")


def _openings(definition: Definition, watch: Watch, hours: list[Values]) -> Iterator[int]:
    """The indexes of the hours at which the rule opens."""
    state = State()
    for number, values in enumerate(hours):
        end = (number + 1) * watch.period
        entry = Entry(end - watch.period, end, values.get(str(watch.observed)), end, "replay")
        if any(found.kind == "opened" for found in step(definition, state, entry)):
            yield number


def _alone(definition: Definition, watch: Watch, stretch: list[Values]) -> bool:
    """Whether the stretch raises the alarm by itself, at its last hour and not before."""
    return list(_openings(definition, watch, stretch)) == [len(stretch) - 1]
