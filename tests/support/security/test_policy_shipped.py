"""The policies that ship: they fit the schema of every registered permission, and keep the three officers apart."""

import cedarpy
import pytest

from haitang.base.actions import Actor, permissions, writes
from haitang.base.declarations.statements import statements
from haitang.server.discovery import import_rooms
from haitang.support.security.policy.engine import NONE, engine
from haitang.support.security.policy.entities import Subject
from haitang.support.security.policy.language import schema
from haitang.support.security.policy.written import of_systems, shipped
from tests.support.security.shipped import shipped_in_force

in_force = pytest.fixture(autouse=True)(shipped_in_force)


def may(role: str, permission: str, *more: str) -> bool:
    return engine().verdict(Actor("staff", "1", "某人", "ecology", frozenset({role, *more})), permission, Subject(), NONE).allowed


def test_shipped_policies_and_those_of_processes_fit_the_schema() -> None:
    import_rooms()
    texts = [each.text for policy in shipped() for each in statements(policy.cedar)] + [each.cedar for each in of_systems()]
    found = cedarpy.validate_policies("\n".join(texts), schema(permissions, writes))
    assert [error for error in found.errors if "unrecognized" in error.error or "optional" in error.error] == []


@pytest.mark.parametrize(
    ("officer", "permission", "by"),
    [
        ("administrator", "case.move", "dispatcher"),
        ("administrator", "people.give_role", "security_administrator"),
        ("security_administrator", "people.create", "administrator"),
        ("security_administrator", "declarations.admit", "administrator"),
        ("audit_administrator", "people.create", "administrator"),
        ("auditor", "case.open", "duty_officer"),
    ],
)
def test_an_officer_cannot_do_anothers_work_even_holding_the_role_by_mistake(officer: str, permission: str, by: str) -> None:
    assert may(by, permission)
    assert not may(officer, permission, by)


def test_officers_still_do_their_own() -> None:
    own = {"administrator": "people.create", "security_administrator": "people.give_role", "audit_administrator": "evidence.export"}
    assert [may(role, word) for role, word in own.items()] == [True, True, True]


def test_a_device_may_nothing_that_is_not_given() -> None:
    found = engine().verdict(Actor("device", "air_1", "站点"), "data.read", Subject(), NONE)
    assert (found.allowed, found.policies) == (False, ())
