"""The states that one transaction works on: loaded together, changed in memory, written together."""

from collections.abc import Iterable
from typing import TypeVar

from haitang.hub.data.rules.machine import Core, State
from haitang.hub.data.rules.models import RuleState
from haitang.hub.data.rules.silence import Silence
from haitang.hub.data.rules.watchers import Watcher

Key = tuple[str, str]  # rule, thing
S = TypeVar("S", State, Silence)


class Memory:
    """States by (rule, thing). Those that were `touched` are written at the end."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.kept: dict[Key, State | Silence] = {}
        self.touched: dict[Key, Watcher] = {}

    def load(self, wanted: dict[Key, Watcher]) -> None:
        """Load what is kept of these rules on these things; a rule under new words begins anew, with its standing alarm."""
        rules, things = {rule for rule, _ in wanted}, {thing for _, thing in wanted}
        for row in RuleState.objects.filter(rule__in=rules, thing__in=things):
            if watcher := wanted.get((row.rule, row.thing)):
                self.kept[row.rule, row.thing] = _revived(row, watcher)

    def values(self, watcher: Watcher, thing: str) -> State:
        found = self._touch(watcher, thing)
        return found if isinstance(found, State) else self._put(watcher, thing, State())

    def silence(self, watcher: Watcher, thing: str) -> Silence:
        found = self._touch(watcher, thing)
        return found if isinstance(found, Silence) else self._put(watcher, thing, Silence())

    def _touch(self, watcher: Watcher, thing: str) -> State | Silence | None:
        self.touched[watcher.rule.id, thing] = watcher
        return self.kept.get((watcher.rule.id, thing))

    def _put(self, watcher: Watcher, thing: str, state: S) -> S:
        self.kept[watcher.rule.id, thing] = state
        return state

    def save(self) -> None:
        """Write the touched states."""
        rows = (
            RuleState(rule=rule, thing=thing, fingerprint=watcher.fingerprint, state=self.kept[rule, thing].to_json(), release=self.release)
            for (rule, thing), watcher in sorted(self.touched.items(), key=lambda item: item[0])
        )
        _write(rows)


def _write(rows: Iterable[RuleState]) -> None:
    RuleState.objects.bulk_create(
        rows, batch_size=1000, update_conflicts=True, unique_fields=["rule", "thing"], update_fields=["fingerprint", "state", "release"]
    )


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
