"""Deny by default, and every decision explains itself."""

import importlib
import sys

import pytest

from haitang.base.actions import Actor, permission, permissions, system
from haitang.base.declarations import Declarations
from haitang.server.discovery import modules
from haitang.support.security.people.kinds import Role
from haitang.support.security.policy.decide import CedarPolicy, covers, scope
from haitang.support.security.policy.systems import SYSTEMS

permission("thingtest.read", "查看")
permission("thingtest.change", "修改")


@pytest.fixture(autouse=True)
def _roles(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = {"head": Role(title="负责人", may=["thingtest.*"]), "handler": Role(title="处置员", may=["thingtest.change@own"])}
    released = Declarations("d", {"role": roles})
    monkeypatch.setattr(sys.modules["haitang.base.declarations.in_force"], "_current", lambda: released)


def staff(*roles: str, organization: str | None = "ecology") -> Actor:
    return Actor("staff", "1", "王丽", organization, frozenset(roles))


def decide(actor: Actor, permission: str, resource: object = None) -> tuple[bool, str]:
    decision = CedarPolicy().decide(actor=actor, permission=permission, resource=resource)
    assert decision.reason
    return decision.allowed, decision.code


@pytest.mark.parametrize(
    ("actor", "permission", "expected"),
    [
        (staff(), "thingtest.read", (False, "no_role")),
        (staff("no_such_role"), "thingtest.read", (False, "no_role")),
        (staff("head"), "thingtest.read", (True, "role")),
        (staff("head"), "thingtest.unheard_of", (False, "unknown_permission")),
        (Actor("citizen", "1", "某人", None, frozenset({"head"})), "thingtest.read", (False, "kind")),
        (system("rules"), "thingtest.read", (False, "system")),
        (system("nobody"), "thingtest.read", (False, "system")),
    ],
)
def test_only_what_is_given_is_allowed(actor: Actor, permission: str, expected: tuple[bool, str]) -> None:
    assert decide(actor, permission) == expected


def test_every_grant_of_a_process_still_means_something() -> None:
    importlib.import_module("haitang.support.security.evidence.sealing")
    for _ in modules("actions"):
        pass
    stale = [
        (name, grant) for name, entry in SYSTEMS.items() for grant in entry.may if not any(covers(grant, word) for word in permissions)
    ]
    assert stale == []
    assert all(entry.reason for entry in SYSTEMS.values())


def test_own_means_the_organization_of_the_holder() -> None:
    handler = staff("handler")
    assert decide(handler, "thingtest.change", {"organization": "ecology"}) == (True, "own_organization")
    assert decide(handler, "thingtest.change", {"organization": "water"}) == (False, "own_organization")
    assert decide(handler, "thingtest.change") == (False, "own_organization")
    assert decide(staff("handler", organization=None), "thingtest.change", {"organization": None})[0] is False


def test_lists_know_their_reach() -> None:
    assert [scope(staff(role), "thingtest.change") for role in ("head", "handler", "none")] == ["all", "own", "none"]


def test_a_refusal_names_the_roles_that_may() -> None:
    refusal = CedarPolicy().decide(actor=staff(), permission="thingtest.change", resource=None)
    assert refusal.reason == "需要角色：负责人、处置员"
