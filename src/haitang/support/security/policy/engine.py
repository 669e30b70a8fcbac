"""One parsed set of policies for each release, and decisions from it. A decision depends on nothing but what its key says, so it is kept."""

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from weakref import WeakKeyDictionary

import cedarpy

from haitang.base.actions import Actor, writes
from haitang.base.declarations import Declarations, in_force
from haitang.base.declarations.in_force import NOTHING_IN_FORCE
from haitang.base.errors import HaitangError
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy import entities
from haitang.support.security.policy.entities import Entity, Subject
from haitang.support.security.policy.kinds import Policy
from haitang.support.security.policy.language import room_of, text
from haitang.support.security.policy.tree import Tree, tree_of
from haitang.support.security.policy.written import Written, of_policy, of_roles, of_systems, shipped

KEPT = 20_000
# The only ways for a policy to tell a thing from others of the same attributes: to name an entity, or to look at `ref` other than for the limits of a token.
_NAMES_A_THING = re.compile(r"""\bResource\s*::|(?<!context\.only\.contains\()\bresource\s*(\.\s*ref\b|\[\s*"ref"|has\s+"?ref\b)""")


@dataclass(frozen=True)
class Circumstances:
    """What else a policy may look at: why data are read, and under which grant."""

    purpose: str = ""
    grant: str = ""


NONE = Circumstances()


@dataclass(frozen=True)
class Verdict:
    """What Cedar says: the ids of the policies that determined it; `errors` are policies that could not be evaluated."""

    allowed: bool
    policies: tuple[str, ...]
    errors: tuple[str, ...] = ()


class Engine:
    """The policies of one release. Also says how organizations stand in each other (`tree`)."""

    def __init__(self, declared: Declarations | None, tree: Tree | None = None) -> None:
        self.tree = tree or tree_of(declared)
        self._organizations = self.tree.of()
        found = [
            *(each for policy in shipped() for each in of_policy(policy, "shipped")),
            *of_systems(),
            *(of_roles(declared.all(Role)) if declared else ()),
            *(each for policy in (declared.all(Policy).values() if declared else ()) for each in of_policy(policy, "declared")),
        ]
        self.policies = {each.id: each for each in found}
        self.set = cedarpy.PolicySet.from_str("\n".join(f"@id({text(each.id)}) {each.cedar}" for each in found))
        self.reaches: dict[object, object] = {}  # what `rows` worked out
        self._names_things = any(_NAMES_A_THING.search(each.cedar) for each in found)
        self._kept = lru_cache(KEPT)(self._verdict)

    def verdict(self, actor: Actor, permission: str, subject: Subject, around: Circumstances) -> Verdict:
        """What Cedar says. Unless a policy names particular things, two that are alike in everything that policies look at are decided alike."""
        limited = actor.token is not None and actor.token.only is not None
        return self._kept(actor, permission, subject if limited or self._names_things else replace(subject, ref=subject.kind), around)

    def parent(self, organization: str) -> str | None:
        return self._organizations.get(organization, (None, None))[0]

    def division(self, organization: str) -> str | None:
        return self._organizations.get(organization, (None, None))[1]

    def filling(self, role: str) -> str | None:
        """The organization that fills an organization role."""
        return self.tree.filling.get(role)

    def within(self, organization: str) -> list[str]:
        """An organization and all below it."""
        found = [organization]
        for above in found:
            found += [id for id, (parent, _) in self._organizations.items() if parent == above and id not in found]
        return found

    def request(self, actor: Actor, permission: str, around: Circumstances) -> dict[str, object]:
        return {
            "principal": {"type": entities.SORTS.get(actor.kind, "Citizen"), "id": actor.id},
            "action": {"type": "Action", "id": permission},
            "context": json.dumps(_context(actor, permission, around)),
        }

    def asked(self, actor: Actor, permission: str) -> list[Entity]:
        return [*entities.principal(actor, self), *entities.action(permission, writes), *_scopes(actor)]

    def _verdict(self, actor: Actor, permission: str, subject: Subject, around: Circumstances) -> Verdict:
        request = {**self.request(actor, permission, around), "resource": {"type": "Resource", "id": subject.ref}}
        known = [*self.asked(actor, permission), *entities.resource(subject, self)]
        answer = cedarpy.is_authorized(request, self.set, once(known))
        ids = answer.diagnostics.id_annotations_by_reason
        errors = tuple(answer.diagnostics.errors)
        # Cedar leaves out a policy that cannot be evaluated; were it one that forbids, that would open a door.
        return Verdict(answer.allowed and not errors, tuple(sorted(ids.values())), errors)


def once(known: list[Entity]) -> str:
    """Entities as JSON, each once."""
    distinct = {(each["uid"]["type"], each["uid"]["id"]): each for each in known}
    return json.dumps(list(distinct.values()))


def _context(actor: Actor, permission: str, around: Circumstances) -> dict[str, object]:
    found: dict[str, object] = {"permission": entities.link("Permission", permission)}
    if actor.token:
        found["scopes"] = [entities.link("Permission", scope) for scope in sorted(actor.token.scopes)]
        if actor.token.only is not None:
            found["only"] = sorted(actor.token.only)
    return found | {name: value for name, value in (("purpose", around.purpose), ("grant", around.grant)) if value}


def _scopes(actor: Actor) -> list[Entity]:
    """A scope that is not the one asked about stands in its room, as every permission does."""
    found = actor.token.scopes if actor.token else ()
    return [entities.entity("Permission", scope, (("Permission", room_of(scope)),) if not scope.endswith(".*") else ()) for scope in found]


_engines: WeakKeyDictionary[Declarations, Engine] = WeakKeyDictionary()
_before: list[Engine] = []
_lock = threading.Lock()


def engine() -> Engine:
    """The engine of the release in force; before the first release, of the platform's own policies only."""
    try:
        declared = in_force()
    except HaitangError as nothing:
        if nothing.kind is not NOTHING_IN_FORCE:
            raise
        return _own()
    found, tree = _engines.get(declared), tree_of(declared)
    if found is None or (found.tree is not tree and found.tree != tree):
        with _lock:
            found = _engines[declared] = Engine(declared, tree)
    return found


def _own() -> Engine:
    if not _before:
        _before.append(Engine(None))
    return _before[0]


def all_written() -> Mapping[str, Written]:
    """Every policy in force, by id."""
    return engine().policies
