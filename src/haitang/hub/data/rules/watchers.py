"""Which rules an observation concerns, for the release in force."""

from dataclasses import dataclass

from haitang.base.declarations import Declarations, in_force
from haitang.hub.data.rules.condition import parse
from haitang.hub.data.rules.definition import define, fingerprint, silence_after
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.machine import Definition
from haitang.hub.data.rules.watch import parse_watch
from haitang.support.infrastructure.things.kinds import Device


@dataclass(frozen=True)
class Watcher:
    """One rule, ready to run; `definition` None for silence, which opens after `after` microseconds. `id` is the rule's, without the way through the model."""

    id: str
    rule: Rule
    fingerprint: str
    definition: Definition | None
    after: int = 0


class Watchers:
    """Rules by what they watch: `values[device, property, statistic]`, `silence[device]`, and all by id."""

    def __init__(self, declarations: Declarations) -> None:
        self.digest = declarations.digest
        self.by_id: dict[str, Watcher] = {}
        self.values: dict[tuple[str, str, str], list[Watcher]] = {}
        self.silence: dict[str, list[Watcher]] = {}
        for rule in declarations.all(Rule).values():
            self._take(rule, declarations)

    def _take(self, rule: Rule, declarations: Declarations) -> None:
        watch = parse_watch(rule.watches)
        device = declarations.get(Device, watch.device)
        if parse(rule.when).silent:
            watcher = Watcher(rule.id, rule, fingerprint(rule), None, silence_after(rule, device))
            self.silence.setdefault(watch.device, []).append(watcher)
        else:
            watcher = Watcher(rule.id, rule, fingerprint(rule), define(rule, device))
            self.values.setdefault((watch.device, watch.observed or "", watch.statistic or ""), []).append(watcher)
        self.by_id[rule.id] = watcher


_latest: list[Watchers] = []


def watchers() -> Watchers:
    """The watchers of the release in force, compiled once a release."""
    declarations = in_force()
    if not _latest or _latest[0].digest != declarations.digest or not declarations.digest:
        _latest[:] = [Watchers(declarations)]
    return _latest[0]
