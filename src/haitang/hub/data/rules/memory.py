"""The states of the machines: loaded when first asked for, changed in memory, written together, and kept for the next transaction."""

from typing import TypeVar

import msgspec
from django.db import connection

from haitang.hub.data.rules.machine import Core, State
from haitang.hub.data.rules.models import RuleState
from haitang.hub.data.rules.silence import Silence
from haitang.hub.data.rules.watchers import Watcher

Key = tuple[str, str]  # rule, thing
S = TypeVar("S", State, Silence)

MOST = 200_000  # states; beyond, all are forgotten and loaded again as they are asked for
_UPSERT = """
    insert into rules_rulestate as old (rule, thing, fingerprint, state, release)
    select *, %s from unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[])
    on conflict (rule, thing) do update set fingerprint = excluded.fingerprint, state = excluded.state, release = excluded.release"""


class Memory:
    """States by (rule, thing). Those that were `touched` are written by `save`. Only one process at a time may hold it (`Engine` sees to that)."""

    def __init__(self) -> None:
        self.kept: dict[Key, State | Silence] = {}
        self.touched: dict[Key, Watcher] = {}
        self._asked: set[Key] = set()

    def load(self, wanted: dict[Key, Watcher]) -> None:
        """Load what is kept of these rules on these things; a rule under new words begins anew, with its standing alarm."""
        fresh = wanted.keys() - self._asked
        if not fresh:
            return
        rules, things = {rule for rule, _ in fresh}, {thing for _, thing in fresh}
        for row in RuleState.objects.filter(rule__in=rules, thing__in=things).iterator(2000):
            if (key := (row.rule, row.thing)) in fresh:
                self.kept[key] = _revived(row, wanted[key])
        self._asked |= fresh

    def values(self, watcher: Watcher, thing: str) -> State:
        key = watcher.id, thing
        self.touched[key] = watcher
        found = self.kept.get(key)
        if not isinstance(found, State):
            found = self.kept[key] = State()
        return found

    def silence(self, watcher: Watcher, thing: str) -> Silence:
        key = watcher.id, thing
        self.touched[key] = watcher
        found = self.kept.get(key)
        if not isinstance(found, Silence):
            found = self.kept[key] = Silence()
        return found

    def save(self, release: str) -> None:
        """Write the touched states, in the order of their keys: two writers then never wait for each other crosswise."""
        if not self.touched:
            return
        rows = [
            (rule, thing, self.touched[rule, thing].fingerprint, _written(self.kept[rule, thing])) for rule, thing in sorted(self.touched)
        ]
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [release, *(list(column) for column in zip(*rows, strict=True))])
        self.touched = {}

    def trim(self) -> None:
        """Forget all when it has become too much; what is written can be loaded again."""
        if len(self._asked) > MOST and not self.touched:
            self.kept, self._asked = {}, set()


def _written(state: State | Silence) -> str:
    return msgspec.json.encode(state.to_json()).decode()


def _revived(row: RuleState, watcher: Watcher) -> State | Silence:
    was_silence = "seen" in row.state
    if watcher.definition is None:
        return Silence.from_json(row.state) if was_silence else Silence()
    if was_silence:
        return State()
    state = State.from_json(row.state)
    if row.fingerprint == watcher.fingerprint:
        return state
    standing = [e for e in state.episodes if e.cleared is None]
    core = Core(opened=standing[0].opened, value=standing[0].value, origin=standing[0].origin) if standing else Core()
    return State(base=core, head=core, episodes=standing)
