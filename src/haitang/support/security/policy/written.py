"""Policies as they are written: declared, shipped with the platform, or made from roles and from the table of processes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from haitang.base.declarations.positions import read_yaml
from haitang.base.declarations.statements import cedar_file, statements
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy.kinds import Policy
from haitang.support.security.policy.language import text
from haitang.support.security.policy.systems import SYSTEMS

SHIPPED = Path(__file__).parent / "shipped"
_FORBID = re.compile(r'\s*(?:@\w+(?:\("(?:\\.|[^"\\])*"\))?\s*)*forbid\b')
OWN = "principal has organization && resource has organization && resource.organization == principal.organization"


@dataclass(frozen=True)
class Written:
    """One policy of the set. `sort`: role, own (a role's grants for its own organization), system, shipped or declared."""

    id: str
    title: str
    cedar: str
    sort: str
    basis: str = ""
    ask: str = ""
    source: str = ""

    @property
    def forbids(self) -> bool:
        return bool(_FORBID.match(self.cedar))


@cache
def shipped() -> tuple[Policy, ...]:
    """The platform's own policies: always in force, whatever a release says."""
    found = []
    for file in sorted(SHIPPED.glob("*.cedar")):
        read = cedar_file(file.read_text("utf-8"))
        assert read, file
        policy = Policy.model_validate({**read_yaml(read.yaml, file).data, "cedar": read.body})
        policy._id = file.stem
        found.append(policy)
    return tuple(found)


def of_policy(policy: Policy, sort: str) -> Iterator[Written]:
    """The statements of a declared or shipped policy; the second is `id.2`."""
    for number, statement in enumerate(statements(policy.cedar), 1):
        id = policy.id if number == 1 else f"{policy.id}.{number}"
        source = f"policies/{policy.id}.cedar ({policy.owner})" if policy.owner else f"shipped/{policy.id}.cedar"
        yield Written(id, policy.title, statement.text, sort, policy.basis or "", policy.ask or "", source)


def of_roles(roles: Mapping[str, Role]) -> Iterator[Written]:
    """What `may` of each role says, as policies: one for everything, one for the holder's own organization."""
    for id, role in roles.items():
        everywhere = [grant for grant in role.may if not grant.endswith("@own")]
        own = [grant.removesuffix("@own") for grant in role.may if grant.endswith("@own")]
        who, source = f"principal in Role::{text(id)}", f"roles/{id}.yaml ({role.owner})"
        if everywhere:
            yield Written(f"role/{id}", role.title, f"permit ({who}, {_actions(everywhere)}, resource);", "role", source=source)
        if own:
            cedar = f"permit ({who}, {_actions(own)}, resource)\nwhen {{ {OWN} }};"
            yield Written(f"own/{id}", role.title, cedar, "own", source=source)


def of_systems() -> Iterator[Written]:
    """What the table of processes says."""
    for name, entry in SYSTEMS.items():
        cedar = f"permit (principal == System::{text(name)}, {_actions(entry.may)}, resource);"
        yield Written(f"system/{name}", entry.reason, cedar, "system", source="support/security/policy/systems.py")


def _actions(grants: Iterable[str]) -> str:
    return "action in [" + ", ".join(f"Action::{text(grant)}" for grant in sorted(grants)) + "]"
