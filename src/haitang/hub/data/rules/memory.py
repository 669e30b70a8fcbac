"""The states of the machines: loaded when first asked for, changed in memory, written together, and kept for the next transaction."""

from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
from django.db import connection

from haitang.hub.data.rules.buffer import Buffer
from haitang.hub.data.rules.machine import Core, State
from haitang.hub.data.rules.models import RuleState
from haitang.hub.data.rules.offsets import Ranges
from haitang.hub.data.rules.silence import Silence
from haitang.hub.data.rules.watchers import Watcher

Key = tuple[str, str]  # rule, thing
S = TypeVar("S", State, Silence)

MOST = 200_000  # states; beyond, all are forgotten and loaded again as they are asked for
_UPSERT = """
    insert into rules_rulestate as old (rule, thing, fingerprint, state, buffer, release, ahead)
    select *, %s, %s::jsonb from unnest(%s::text[], %s::text[], %s::text[], %s::jsonb[], %s::bytea[])
    on conflict (rule, thing) do update set fingerprint = excluded.fingerprint, state = excluded.state, buffer = excluded.buffer,
    release = excluded.release, ahead = excluded.ahead"""


class Memory:
    """States by (rule, thing). Those that were `touched` are written by `save`. Only one process at a time may hold it (`Engine` sees to that).

    `ahead`: what a loaded state holds beyond the consumer's offset (messages of the stream `identity`), because it was written earlier than the rest.
    """

    def __init__(self, identity: str = "") -> None:
        self.identity = identity
        self.kept: dict[Key, State | Silence] = {}
        self.touched: dict[Key, Watcher] = {}
        self.ahead: dict[Key, Ranges] = {}
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
                if row.ahead and row.ahead[0] == self.identity:
                    self.ahead[key], self.touched[key] = row.ahead[1], wanted[key]
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
        """Write the touched states: they hold what the offset of the same transaction says."""
        self._write(self.touched, release, None)
        self.touched, self.ahead = {}, {}

    def save_ahead(self, keys: Collection[Key], release: str, ranges: Ranges) -> None:
        """Write some states before the rest, with the messages that are in them."""
        self._write({key: self.touched[key] for key in keys if key in self.touched}, release, [self.identity, ranges])

    def _write(self, states: dict[Key, Watcher], release: str, ahead: Any) -> None:
        """In the order of their keys: two writers then never wait for each other crosswise."""
        if not states:
            return
        rows = [(rule, thing, states[rule, thing].fingerprint, *_written(self.kept[rule, thing])) for rule, thing in sorted(states)]
        told = None if ahead is None else msgspec.json.encode(ahead).decode()
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [release, told, *(list(column) for column in zip(*rows, strict=True))])

    def trim(self) -> None:
        """Forget all when it has become too much; what is written can be loaded again."""
        if len(self._asked) > MOST and not self.touched:
            self.kept, self._asked = {}, set()


def _written(state: State | Silence) -> tuple[str, bytes]:
    return msgspec.json.encode(state.to_json()).decode(), state.buffer.packed() if isinstance(state, State) else b""


def _revived(row: RuleState, watcher: Watcher) -> State | Silence:
    was_silence = "seen" in row.state
    if watcher.definition is None:
        return Silence.from_json(row.state) if was_silence else Silence()
    if was_silence:
        return State()
    state = State.from_json(row.state, Buffer.unpacked(bytes(row.buffer)))
    if row.fingerprint == watcher.fingerprint:
        return state
    standing = [e for e in state.episodes if e.cleared is None]
    core = Core(opened=standing[0].opened, value=standing[0].value, origin=standing[0].origin) if standing else Core()
    return State(base=core, head=core, episodes=standing)
