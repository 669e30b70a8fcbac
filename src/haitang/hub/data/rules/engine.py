"""Judges observations in memory and writes what follows: states, alarms, cases and the stream's offset.

Each observation counts exactly once: a message is acknowledged after the transaction that holds its effect, and until then the states it changed exist in
memory only. A busy stream costs one such transaction every few seconds, not one a message. What a rule has to say does not wait for it: alarms are written
at once, with the states that raised them, which then remember the messages they are ahead of the offset.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from haitang.base import clock
from haitang.base.actions import Act, acting, system
from haitang.base.declarations import release_digest
from haitang.base.errors import error
from haitang.hub.data.lake.buckets import micros
from haitang.hub.data.lake.readings import declared, span
from haitang.hub.data.rules import offsets
from haitang.hub.data.rules.actions import carry_out, instant, late, open_missing_case, withdraw_alarm
from haitang.hub.data.rules.buffer import Entry
from haitang.hub.data.rules.machine import Transition, step
from haitang.hub.data.rules.memory import Key, Memory
from haitang.hub.data.rules.models import Alarm, ConsumerOffset, RuleState
from haitang.hub.data.rules.queries import open_alarms
from haitang.hub.data.rules.silence import heard, tick
from haitang.hub.data.rules.watchers import Watcher, watchers
from haitang.support.infrastructure.stream.messages import Batch, Observation, is_valid
from haitang.support.infrastructure.things.models import Thing
from haitang.support.infrastructure.things.queries import maintained_until

NAME = "rules"
ACTOR = system("rules")
OVERTAKEN = error("rules.overtaken", 409, "另一个规则进程已处理了这些数据，本进程重新读取状态。")

Told = tuple[Watcher, str, Transition]  # what a rule has to say of a thing


class Engine:
    """Judges batches and the clock. `identity` names the stream whose sequence numbers are counted. After an error make a new one."""

    def __init__(self, identity: str = "", listening: datetime | None = None) -> None:
        self.identity = identity
        self.listening = micros(listening or clock.now())
        self.newest = 0  # when the newest batch was received
        self.told: list[Told] = []  # judged and not yet written
        self.unwritten = 0  # observations whose states are not yet written
        self._things = Things()
        self._memory, self._release = Memory(identity), ""
        self._ranges: offsets.Ranges | None = None  # as the table has them
        self._fresh: list[int] = []  # judged and not yet in the table

    def take(self, delivered: Sequence[tuple[int, Batch]]) -> int:
        """Judge numbered messages and write what follows; those already taken in are left out. Gives how many were new."""
        count = self.absorb(delivered)
        self.write()
        return count

    def absorb(self, delivered: Sequence[tuple[int, Batch]]) -> int:
        """Judge in memory. What it leads to waits in `told` for `write`; until then no message may be acknowledged."""
        if self._ranges is None or release_digest() != self._release:
            self._begin()
        assert self._ranges is not None
        waiting = set(self._fresh)
        fresh = {seq: batch for seq, batch in delivered if seq not in waiting and not offsets.contains(self._ranges, seq)}
        self._judge(fresh)
        self._fresh += fresh
        self.unwritten += sum(len(batch.observations) for batch in fresh.values())
        self.newest = max([self.newest, *(batch.received_at for batch in fresh.values())])
        return len(fresh)

    def write(self) -> None:
        """One transaction of all that was absorbed. Raises OVERTAKEN when another process has counted messages meanwhile."""
        if not self._fresh and not self.told:
            return
        with acting(ACTOR) as act:
            ranges = self._write(act)
        self._written(ranges)

    def tell(self) -> None:
        """Write what rules have to say, with the states that say it; no message may be acknowledged by that. Raises OVERTAKEN."""
        if not self.told:
            return
        with acting(ACTOR) as act:
            offset = self._locked()
            self._carry_out(act)
            keys = {(watcher.id, thing) for watcher, thing, _ in self.told}
            self._memory.save_ahead(keys, act.release, offsets.add(offset, self._fresh))
        self.told = []

    def tick(self, *, caught_up: bool) -> None:
        """Look at the clock: who is silent, which alarm has no case yet, which has lost its rule.

        While messages wait, "now" is when the newest one judged was received: what waits may be what seems missing.
        """
        if self._ranges is None or release_digest() != self._release:
            self._begin()
        now = micros(clock.now()) if caught_up else self.newest
        with acting(ACTOR) as act:
            self._silent(now)
            ranges = self._write(act)
            _mend(now, act, self._things)
        self._written(ranges)

    def _begin(self) -> None:
        """Read anew how far the stream was taken in; states under another release are loaded and revived again."""
        if self._fresh:
            self.write()
        offset = ConsumerOffset.objects.filter(name=NAME).first()
        self._ranges = list(offset.ranges) if offset and offset.identity == self.identity else []
        self._memory, self._release, self._things = Memory(self.identity), release_digest(), Things()

    def _write(self, act: Act) -> offsets.Ranges:
        known = self._locked()
        self._carry_out(act)
        self._memory.save(act.release)
        ranges = offsets.add(known, self._fresh)
        ConsumerOffset.objects.filter(name=NAME).update(identity=self.identity, ranges=ranges)
        return ranges

    def _locked(self) -> offsets.Ranges:
        """The offset, held until the transaction ends."""
        ConsumerOffset.objects.get_or_create(name=NAME)
        offset = ConsumerOffset.objects.select_for_update().get(name=NAME)
        known: offsets.Ranges = offset.ranges if offset.identity == self.identity else []
        if known != self._ranges:
            raise OVERTAKEN()
        return known

    def _carry_out(self, act: Act) -> None:
        names = self._things.titles({thing for _, thing, _ in self.told})
        held = self._things.maintained(act.at) if self.told else set()
        for watcher, thing, transition in self.told:
            carry_out(act=act, rule=watcher.rule, thing=thing, name=names.get(thing, thing), transition=transition, held=thing in held)

    def _written(self, ranges: offsets.Ranges) -> None:
        self._ranges, self._fresh, self.told, self.unwritten = ranges, [], [], 0
        self._memory.trim()

    def _judge(self, batches: dict[int, Batch]) -> None:
        last = _last_heard(batches.values())
        devices = self._things.devices(last.keys())
        watching, memory = watchers(), self._memory
        listeners = [(w, thing) for thing in last for w in watching.silence.get(devices.get(thing, ""), ())]
        series = [(seq, found) for seq, batch in batches.items() for found in _by_series(batch.observations)]
        concerned = [
            (seq, w, thing, entries)
            for seq, ((thing, property, declared), entries) in series
            for w in watching.values.get((devices.get(thing, ""), property, declared), ())
        ]
        memory.load({(w.id, thing): w for w, thing in listeners} | {(w.id, thing): w for _, w, thing, _ in concerned})
        together: dict[Key, tuple[Watcher, list[Entry]]] = {}
        for seq, watcher, thing, entries in concerned:
            key = watcher.id, thing
            if key not in memory.ahead or not offsets.contains(memory.ahead[key], seq):
                together.setdefault(key, (watcher, []))[1].extend(entries)
        for (_, thing), (watcher, entries) in together.items():
            assert watcher.definition is not None
            if told := step(watcher.definition, memory.values(watcher, thing), *entries):
                self._keep(told, watcher, thing)
        for watcher, thing in listeners:
            if told := heard(memory.silence(watcher, thing), *last[thing]):
                self._keep(told, watcher, thing)

    def _keep(self, told: list[Transition], watcher: Watcher, thing: str) -> None:
        """As it stands now: the machine goes on changing its episodes before this is written."""
        self.told += [(watcher, thing, replace(transition, episode=replace(transition.episode))) for transition in told]

    def _silent(self, now: int) -> None:
        rules = {w.id: w for found in watchers().silence.values() for w in found}
        kept = RuleState.objects.filter(rule__in=rules).values_list("rule", "thing")
        wanted = {(rule, thing): rules[rule] for rule, thing in kept}
        self._memory.load(wanted)
        devices = self._things.devices({thing for _, thing in wanted})
        until = {thing: micros(end) for thing, end in self._things.maintained_until(instant(now) or clock.now()).items()}
        for key, watcher in wanted.items():
            if key[1] not in devices:
                continue
            state, worked_on = self._memory.kept[key], until.get(key[1], 0)
            if worked_on > now:
                continue
            if told := tick(state, now, watcher.after, max(self.listening, worked_on)):  # type: ignore[arg-type]
                self._memory.silence(watcher, key[1])
                self._keep(told, watcher, key[1])


class Things:
    """Device type and title of things, read again every few seconds; retired ones are left out."""

    FRESH = 2.0  # seconds

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._read_at = time.monotonic()
        self._until: dict[str, datetime] = {}
        self._until_at: datetime | None = None

    def maintained_until(self, now: datetime) -> dict[str, datetime]:
        """Thing -> the end of its latest maintenance window that has begun by `now`; windows noted meanwhile are known within `FRESH` seconds."""
        if self._until_at is None or not timedelta() <= now - self._until_at <= timedelta(seconds=self.FRESH):
            self._until, self._until_at = maintained_until(now), now
        return self._until

    def maintained(self, now: datetime) -> set[str]:
        return {thing for thing, end in self.maintained_until(now).items() if end > now}

    def devices(self, ids: Any) -> dict[str, str]:
        """Id -> device type of the things that are listened to."""
        if time.monotonic() - self._read_at > self.FRESH:
            self._known, self._read_at = {}, time.monotonic()
        missing = [id for id in ids if id not in self._known]
        if missing:
            rows = Thing.objects.filter(pk__in=missing).exclude(status=Thing.RETIRED).values_list("id", "device", "title")
            self._known.update({id: (device, title) for id, device, title in rows})
        return {id: self._known[id][0] for id in ids if id in self._known}

    def titles(self, ids: set[str]) -> dict[str, str]:
        self.devices(ids)
        return {id: self._known[id][1] for id in ids if id in self._known}


def _last_heard(batches: Iterable[Batch]) -> dict[str, tuple[int, str]]:
    """Thing -> when something was last received from it, and the origin of that."""
    last: dict[str, tuple[int, str]] = {}
    for batch in batches:
        for o in batch.observations:
            before = last.get(o.thing)
            if before is None or o.received_at > before[0] or (o.received_at == before[0] and o.origin > before[1]):
                last[o.thing] = (o.received_at, o.origin)
        for s in batch.set_aside:
            if s.thing and (s.received_at, s.origin) > last.get(s.thing, (-1, "")):
                last[s.thing] = (s.received_at, s.origin)
    return last


def _by_series(observations: Iterable[Observation]) -> list[tuple[tuple[str, str, str], list[Entry]]]:
    """(thing, property, declared statistic) with their entries, each in the order in which they came; periods of other length stand apart."""
    found: dict[tuple[str, str, str, int], list[Entry]] = {}
    for o in observations:
        key = (o.thing, o.property, o.statistic, o.period_end - o.period_start)
        if key not in found:
            found[key] = []
        found[key].append(_entry(o))
    return [
        ((thing, property, declared(statistic, span(length))), entries) for (thing, property, statistic, length), entries in found.items()
    ]


def _entry(o: Observation) -> Entry:
    value = o.number
    if value is None:
        value = None if o.boolean is None else float(o.boolean)
    elif not math.isfinite(value):
        value = None
    return Entry(o.period_start, o.period_end, value if is_valid(o.quality) else None, o.received_at, o.origin)


def _mend(now: int, act: Act, things: Things) -> None:
    """Alarms whose case could not be opened, or that came late or in maintenance and still stand, get it now; those whose rule is no longer declared are taken back."""
    rules = watchers().by_id
    gone = open_alarms().exclude(rule__in=rules)
    for alarm in gone:
        withdraw_alarm(act=act, alarm=alarm, reason="rule no longer declared")
    RuleState.objects.exclude(rule__in=rules).delete()
    without = Alarm.objects.filter(case__isnull=True, withdrawn_at__isnull=True, cleared_at__isnull=True).exclude(case_kind="")
    names = things.titles(set(without.values_list("thing", flat=True)))
    states = {(s.rule, s.thing): s.state for s in RuleState.objects.filter(rule__in={a.rule for a in without})}
    held = things.maintained(act.at) if without else set()
    for alarm in without:
        if alarm.thing in held:
            continue
        if not late(rules[alarm.rule].rule, alarm.opened_at, alarm.raised_at) or _current(rules[alarm.rule], states, alarm, now):
            open_missing_case(act=act, alarm=alarm, name=names.get(alarm.thing, alarm.thing))


def _current(watcher: Watcher, states: dict[Key, dict[str, Any]], alarm: Alarm, now: int) -> bool:
    """Whether what the rule has judged of the thing reaches to `now`, so that an alarm that stands, stands today."""
    kept = states.get((alarm.rule, alarm.thing), {})
    newest = kept.get("newest") or kept.get("seen") or 0
    return not late(watcher.rule, instant(newest) or alarm.opened_at, instant(now) or alarm.opened_at)
