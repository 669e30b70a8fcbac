"""One transaction of the rules process: states, alarms, cases and the stream's offset together, so each observation counts exactly once."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from haitang.base import clock
from haitang.base.actions import Act, acting, system
from haitang.hub.data.lake.buckets import micros
from haitang.hub.data.lake.readings import declared_of
from haitang.hub.data.rules import offsets
from haitang.hub.data.rules.actions import carry_out, instant, late, open_missing_case, withdraw_alarm
from haitang.hub.data.rules.machine import Entry, Transition, step
from haitang.hub.data.rules.memory import Key, Memory
from haitang.hub.data.rules.models import Alarm, ConsumerOffset, RuleState
from haitang.hub.data.rules.queries import open_alarms
from haitang.hub.data.rules.silence import heard, tick
from haitang.hub.data.rules.watchers import Watcher, Watchers, watchers
from haitang.support.infrastructure.stream.messages import Batch, Observation, is_valid
from haitang.support.infrastructure.things.models import Thing

NAME = "rules"
ACTOR = system("rules")


class Engine:
    """Judges batches and the clock. `identity` names the stream whose sequence numbers are counted."""

    def __init__(self, identity: str = "", listening: datetime | None = None) -> None:
        self.identity = identity
        self.listening = micros(listening or clock.now())
        self.newest = 0  # when the newest batch was received

    def take(self, delivered: Sequence[tuple[int, Batch]]) -> int:
        """Judge numbered messages in one transaction; those already taken in are left out. Gives how many were new."""
        with acting(ACTOR) as act:
            offset = self._offset()
            fresh = [(seq, batch) for seq, batch in delivered if not offsets.contains(offset.ranges, seq)]
            if fresh:
                _judge([batch for _, batch in fresh], act)
                offset.ranges = offsets.add(offset.ranges, (seq for seq, _ in fresh))
                offset.save()
        self.newest = max([self.newest, *(batch.received_at for _, batch in fresh)])
        return len(fresh)

    def tick(self, *, caught_up: bool) -> None:
        """Look at the clock: who is silent, which alarm has no case yet, which has lost its rule.

        While messages wait, "now" is when the newest one judged was received: what waits may be what seems missing.
        """
        now = micros(clock.now()) if caught_up else self.newest
        with acting(ACTOR) as act:
            self._offset()
            _silent(now, self.listening, act)
            _mend(now, act)

    def _offset(self) -> ConsumerOffset:
        """The offset's row, locked: two rules processes take turns."""
        ConsumerOffset.objects.get_or_create(name=NAME)
        offset = ConsumerOffset.objects.select_for_update().get(name=NAME)
        if offset.identity != self.identity:
            offset.identity, offset.ranges = self.identity, []
        return offset


def _judge(batches: list[Batch], act: Act) -> None:
    observations = [o for batch in batches for o in batch.observations]
    signs = [(o.thing, o.received_at, o.origin) for o in observations]
    signs += [(s.thing, s.received_at, s.origin) for batch in batches for s in batch.set_aside if s.thing]
    devices, names = _things({thing for thing, _, _ in signs})
    rules = watchers()
    hits = list(_hits(rules, devices, observations))
    last: dict[str, tuple[int, str]] = {}
    for thing, at, origin in signs:
        last[thing] = max(last.get(thing, (0, "")), (at, origin))
    listeners = [(w, thing) for thing in last for w in rules.silence.get(devices.get(thing, ""), [])]
    memory = Memory(act.release)
    wanted: dict[Key, Watcher] = {(w.rule.id, o.thing): w for w, o in hits}
    memory.load(wanted | {(w.rule.id, thing): w for w, thing in listeners})
    for watcher, o in hits:
        assert watcher.definition is not None
        _carry_out(step(watcher.definition, memory.values(watcher, o.thing), _entry(o)), watcher, o.thing, names, act)
    for watcher, thing in listeners:
        _carry_out(heard(memory.silence(watcher, thing), *last[thing]), watcher, thing, names, act)
    memory.save()


def _hits(rules: Watchers, devices: dict[str, str], observations: list[Observation]) -> Iterator[tuple[Watcher, Observation]]:
    for o in observations:
        for watcher in rules.values.get((devices.get(o.thing, ""), o.property, declared_of(o)), ()):
            yield watcher, o


def _entry(o: Observation) -> Entry:
    value = o.number if o.number is not None else float(o.boolean) if o.boolean is not None else None
    return Entry(o.period_start, o.period_end, value if is_valid(o.quality) else None, o.received_at, o.origin)


def _things(ids: set[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Device type and title of things; retired ones are left out."""
    rows = list(Thing.objects.filter(pk__in=ids).exclude(status=Thing.RETIRED).values_list("id", "device", "title"))
    return {id: device for id, device, _ in rows}, {id: title for id, _, title in rows}


def _carry_out(told: list[Transition], watcher: Watcher, thing: str, names: dict[str, str], act: Act) -> None:
    for transition in told:
        carry_out(act=act, rule=watcher.rule, thing=thing, name=names.get(thing, thing), transition=transition)


def _silent(now: int, listening: int, act: Act) -> None:
    rules = {w.rule.id: w for found in watchers().silence.values() for w in found}
    kept = RuleState.objects.filter(rule__in=rules).values_list("rule", "thing")
    memory = Memory(act.release)
    wanted = {(rule, thing): rules[rule] for rule, thing in kept}
    memory.load(wanted)
    devices, names = _things({thing for _, thing in wanted})
    for (_, thing), watcher in wanted.items():
        if thing not in devices:
            continue
        state = memory.kept[watcher.rule.id, thing]
        if told := tick(state, now, watcher.after, listening):  # type: ignore[arg-type]
            memory.silence(watcher, thing)
            _carry_out(told, watcher, thing, names, act)
    memory.save()


def _mend(now: int, act: Act) -> None:
    """Alarms whose case could not be opened, or that came late and still stand, get it now; those whose rule is no longer declared are taken back."""
    rules = watchers().by_id
    gone = open_alarms().exclude(rule__in=rules)
    for alarm in gone:
        withdraw_alarm(act=act, alarm=alarm, reason="rule no longer declared")
    RuleState.objects.exclude(rule__in=rules).delete()
    without = Alarm.objects.filter(case__isnull=True, withdrawn_at__isnull=True, cleared_at__isnull=True).exclude(case_kind="")
    _, names = _things(set(without.values_list("thing", flat=True)))
    states = {(s.rule, s.thing): s.state for s in RuleState.objects.filter(rule__in={a.rule for a in without})}
    for alarm in without:
        if not late(rules[alarm.rule].rule, alarm.opened_at, alarm.raised_at) or _current(rules[alarm.rule], states, alarm, now):
            open_missing_case(act=act, alarm=alarm, name=names.get(alarm.thing, alarm.thing))


def _current(watcher: Watcher, states: dict[Key, dict[str, Any]], alarm: Alarm, now: int) -> bool:
    """Whether what the rule has judged of the thing reaches to `now`, so that an alarm that stands, stands today."""
    kept = states.get((alarm.rule, alarm.thing), {})
    newest = kept["buffer"][-1][1] if kept.get("buffer") else kept.get("seen") or 0
    return not late(watcher.rule, instant(newest) or alarm.opened_at, instant(now) or alarm.opened_at)
