"""Which derivations there are, in the order in which they are computed, each with the digest of all that decides its values."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import Any

from haitang.base.declarations import Declarations
from haitang.base.declarations.functions import functions_of
from haitang.base.durations import parse_span
from haitang.base.text import Saying
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.sources import columns_of, device_of, read
from haitang.hub.data.derive.sql import BAD_SQL, TABLE_FUNCTIONS, Parsed

Things = Callable[[str], list[str]]  # device type -> ids of its things


@dataclass(frozen=True)
class Planned:
    """One derivation. `digest` changes with its declaration, its functions, its device types and the derivations below it.

    `looks_back`: how long before its own bucket it reads; `carries`: how long after an observation a row may still change with it, by what it and the
    derivations below it look back on. `resources`: those that it and the derivations below it read; `observes`: whether any of these reads what the
    stream brings.
    """

    derive: Derive
    parsed: Parsed
    digest: str
    functions: ModuleType | None
    carries: timedelta = timedelta()
    resources: frozenset[str] = frozenset()
    observes: bool = True

    @property
    def looks_back(self) -> timedelta:
        return parse_span(self.derive.looks_back) if self.derive.looks_back else timedelta()

    @property
    def table(self) -> str:
        return f"derived_{self.derive.id}"

    @property
    def below(self) -> list[str]:
        return [source.name for source in self.parsed.sources if source.kind == "derive"]


def order(declared: dict[str, Parsed]) -> list[str]:
    """Ids such that each comes after those it reads; raises BAD_SQL naming a cycle."""
    graph = {id: [source.name for source in parsed.sources if source.kind == "derive"] for id, parsed in declared.items()}
    try:
        return [id for id in TopologicalSorter(graph).static_order() if id in declared]
    except CycleError as cycle:
        raise BAD_SQL(reason=Saying("派生数据互相引用：{circle}", circle=" → ".join(cycle.args[1]))) from None


def plan(declarations: Declarations, things: Things | None = None) -> list[Planned]:
    """Every derivation of a release in the order of computation; raises BAD_SQL.

    With `things` a station that is added or moved to another device type changes the digest too: its earlier data is then taken in.
    """
    derives = declarations.all(Derive)
    parsed = {id: read(derive.sql, declarations) for id, derive in derives.items()}
    planned: dict[str, Planned] = {}
    for id in order(parsed):
        derive = derives[id]
        module = functions_of(derive.owner, declarations) if parsed[id].functions else None
        made = Planned(derive, parsed[id], _digest(derive, parsed[id], module, declarations, planned, things), module)
        below = max((planned[name].carries for name in made.below), default=timedelta())
        planned[id] = replace(made, carries=made.looks_back + below, **_inputs(made, planned))
    return list(planned.values())


def _inputs(made: Planned, planned: dict[str, Planned]) -> dict[str, Any]:
    own = {source.name for source in made.parsed.sources if source.kind == "resource"}
    below = [planned[name] for name in made.below]
    streams = any(source.kind not in ("derive", "resource") for source in made.parsed.sources)
    return {
        "resources": frozenset(own.union(*(each.resources for each in below))),
        "observes": streams or any(each.observes for each in below),
    }


def _digest(
    derive: Derive, parsed: Parsed, module: ModuleType | None, declarations: Declarations, below: dict[str, Planned], things: Things | None
) -> str:
    parts = [derive.model_dump_json(), module.__name__ if module else ""]
    for source in parsed.sources:
        if source.kind == "derive":
            parts.append(below[source.name].digest)
        elif source.kind == "resource":
            parts += columns_of(source, declarations) or []
        elif source.kind in TABLE_FUNCTIONS:
            parts.append(device_of(declarations, source.name).model_dump_json())
            parts += things(source.name) if things else []
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
