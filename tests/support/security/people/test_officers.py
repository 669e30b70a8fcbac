"""Three officers are three human beings, and none does another's work."""

from itertools import permutations

import pytest

from haitang.base.actions import acting, permissions, system
from haitang.base.declarations import Declarations, in_force
from haitang.base.errors import HaitangError
from haitang.support.security.people.actions import appoint, create_person, first_administrator, give_role
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Human, Person, RoleHolding
from haitang.support.security.people.officers import OFFICERS
from haitang.support.security.policy.decide import covers
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db

ADMINISTRATOR, SECURITY, AUDIT = OFFICERS
SHARED = {
    "people.read",
    "people.end_sessions",
    "declarations.read",
    "keys.read",
    "keys.propose",
}  # asking for a new key is no act by itself: somebody else decides


def may(role: Role) -> set[str]:
    return {word for word in permissions for grant in role.may if covers(grant.removesuffix("@own"), word)}


@pytest.mark.parametrize(("one", "other"), list(permutations(OFFICERS, 2)))
def test_no_officer_has_a_duty_of_another(one: str, other: str, shipped: Declarations) -> None:
    assert may(shipped.all(Role)[one]) & may(shipped.all(Role)[other]) <= SHARED


@pytest.mark.parametrize(("held", "given"), [(a, b) for a in OFFICERS for b in (*OFFICERS, "dispatcher", "auditor") if a != b])
def test_an_officer_holds_nothing_else_whichever_comes_first(held: str, given: str) -> None:
    giver = proved(made("giver", SECURITY))
    for first, second in ((held, given), (given, held)):
        person = made(f"{first}-{second}", first)
        with pytest.raises(HaitangError, match="roles_apart"), acting(giver) as act:
            give_role(act=act, person=person, role=second)


@pytest.mark.parametrize("link", [{"email": "a@example.org"}, {"mobile": "13900000000"}, {"human": None}])
def test_two_accounts_of_one_human_being_count_as_one(link: dict[str, object]) -> None:
    if "human" in link:
        link = {"human": Human.objects.create()}
    first, second = made("first", ADMINISTRATOR, **link), made("second", **link)
    with pytest.raises(HaitangError, match="roles_apart"), acting(proved(made("giver", SECURITY))) as act:
        give_role(act=act, person=second, role=AUDIT)
    assert not RoleHolding.objects.filter(person=second).exists()
    assert first.holdings.count() == 1


def test_nobody_gives_to_a_second_account_of_theirs() -> None:
    security = made("security", SECURITY, mobile="13900000001")
    with pytest.raises(HaitangError, match="own_role"), acting(proved(security)) as act:
        give_role(act=act, person=made("mine-too", mobile="13900000001"), role="dispatcher")


def test_a_known_identity_number_ties_accounts_together() -> None:
    with acting(system("setup")) as act:
        a = create_person(act=act, username="one", name="甲", identity_number="11010519491231002X")
        b = create_person(act=act, username="two", name="甲", identity_number="11010519491231002x", kind="citizen")
        c = create_person(act=act, username="three", name="乙")
    assert a.human_id == b.human_id != c.human_id


@pytest.mark.parametrize("officer", [ADMINISTRATOR, AUDIT])
def test_only_the_security_administrator_gives_roles(officer: str) -> None:
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(made("officer", officer))) as act:
        give_role(act=act, person=made("wang"), role="dispatcher")


@pytest.mark.parametrize("officer", [SECURITY, AUDIT])
def test_only_the_system_administrator_creates_accounts(officer: str) -> None:
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(made("officer", officer))) as act:
        create_person(act=act, username="new", name="新")


def test_the_audit_administrator_reads_evidence_and_changes_of_declarations_and_nothing_else(shipped: Declarations) -> None:
    assert may(shipped.all(Role)[AUDIT]) == {
        "evidence.read",
        "evidence.export",
        "declarations.read",
        "keys.read",
        "evidence.ask_archive_check",
    }


@pytest.fixture
def first() -> Person:
    with acting(system("setup")) as act:
        first_administrator(act=act)
    return Person.objects.get(username="admin")


def test_the_first_administrator_appoints_the_other_two_once(first: Person) -> None:
    for role in (SECURITY, AUDIT):
        with acting(proved(first)) as act:
            appoint(act=act, person=made(role), role=role)
        with pytest.raises(HaitangError, match="appointed"), acting(proved(first)) as act:
            appoint(act=act, person=made(f"another-{role}"), role=role)
    RoleHolding.objects.filter(role=AUDIT).delete()
    with pytest.raises(HaitangError, match="appointed"), acting(proved(first)) as act:
        appoint(act=act, person=made("later"), role=AUDIT)


@pytest.mark.parametrize("role", [ADMINISTRATOR, "dispatcher"])
def test_the_first_administrator_appoints_to_no_other_role(first: Person, role: str) -> None:
    with pytest.raises(HaitangError, match="not_an_office"), acting(proved(first)) as act:
        appoint(act=act, person=made("friend"), role=role)


def test_the_first_administrator_does_not_appoint_themselves(first: Person) -> None:
    with pytest.raises(HaitangError, match="own_role"), acting(proved(first)) as act:
        appoint(act=act, person=first, role=SECURITY)


def test_a_sensitive_action_asks_for_a_fresh_proof() -> None:
    from haitang.support.security.people.queries import actor_of

    with pytest.raises(HaitangError, match="needs_proof"), acting(actor_of(made("security", SECURITY))) as act:
        give_role(act=act, person=made("wang"), role="dispatcher")
    assert "administrator" in in_force().all(Role)
