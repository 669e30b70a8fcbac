"""What the shipped roles may do: three kinds of officer apart, four eyes on a tuned value, no more than people do."""

from datetime import date

import pytest

from haitang.base.actions import Actor, acting, permissions, system
from haitang.base.declarations import Declarations
from haitang.base.declarations.actions import admit_release, decide_edit, propose_edit, withdraw_edit
from haitang.base.declarations.models import Edit
from haitang.base.declarations.owners import rooms
from haitang.base.errors import HaitangError
from haitang.server.declared import load, owners_with
from haitang.support.security.people.actions import give_role
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding
from haitang.support.security.people.queries import actor_of
from haitang.support.security.policy.decide import covers
from tests.support.security.people.proved import proved
from tests.support.security.shipped import shipped_in_force

pytestmark = pytest.mark.django_db


_in_force = pytest.fixture(autouse=True)(shipped_in_force)


def person(name: str, *roles: str) -> Person:
    made = Person.objects.create(username=name, name=name, synthetic=True)
    RoleHolding.objects.bulk_create([RoleHolding(person=made, role=role) for role in roles])
    return made


def may(role: Role) -> set[str]:
    return {word for word in permissions for grant in role.may if covers(grant.removesuffix("@own"), word)}


def test_no_role_of_ours_takes_a_whole_room() -> None:
    roles = load(rooms()).partial.all(Role)
    assert {id: grant for id, role in roles.items() for grant in role.may if grant.endswith("*")} == {}


def test_nobody_moves_cases_to_another_procedure_or_its_deadlines_by_hand(shipped: Declarations) -> None:
    kept = {
        "procedure.migrate",
        "procedure.refresh",
        "procedure.attend",
        "evidence.accept_root",
        "evidence.add_key",
        "evidence.archive",
        "evidence.refuse_root",
        "evidence.record_block",
        "people.first_administrator",
    }
    assert {id: may(role) & kept for id, role in shipped.all(Role).items() if may(role) & kept} == {}


def test_the_administrator_neither_handles_cases_nor_audits(shipped: Declarations) -> None:
    words = may(shipped.all(Role)["administrator"])
    assert {word for word in words if word.startswith(("case.", "procedure.", "evidence."))} == set()


def test_the_auditor_writes_nothing_but_exports_and_asks_for_checks(shipped: Declarations) -> None:
    assert {word for word in may(shipped.all(Role)["auditor"]) if not word.endswith((".read", ".export", ".ask_archive_check"))} == set()


def test_no_shipped_role_both_proposes_and_decides(shipped: Declarations) -> None:
    both = {"declarations.propose", "declarations.decide"}
    assert [id for id, role in shipped.all(Role).items() if both <= may(role)] == []
    assert all(any(word in may(role) for role in shipped.all(Role).values()) for word in both)


@pytest.mark.parametrize(("held", "given"), [("administrator", "auditor"), ("auditor", "administrator"), ("administrator", "verifier")])
def test_roles_that_are_kept_apart_are_not_given_to_one_person(held: str, given: str) -> None:
    with pytest.raises(HaitangError, match="roles_apart"), acting(proved(person("security", "security_administrator"))) as act:
        give_role(act=act, person=person("wang", held), role=given)


def test_nobody_gives_a_role_to_themselves() -> None:
    security = person("security", "security_administrator")
    with pytest.raises(HaitangError, match="own_role"), acting(proved(security)) as act:
        give_role(act=act, person=security, role="dispatcher")


def propose(by: Actor) -> Edit:
    with acting(by) as act:
        return propose_edit(act=act, kind="rule", id="pm2_5_exceeds", key="for", value="3h", effective=date(2030, 1, 1), reason="会商决定")


def approve(edit: Edit, by: Actor) -> Edit:
    with acting(by) as act:
        return decide_edit(act=act, edit=edit, approve=True)


@pytest.fixture
def admitted() -> None:
    with acting(system("setup")) as act:
        admit_release(act=act, owners=owners_with(None))


@pytest.mark.usefixtures("admitted")
def test_a_department_head_proposes_and_the_administrator_approves() -> None:
    head, admin = actor_of(person("head", "department_head")), actor_of(person("admin", "administrator"))
    edit = propose(head)
    with pytest.raises(HaitangError, match="not_allowed"):
        approve(edit, head)
    with pytest.raises(HaitangError, match="not_allowed"):
        propose(admin)
    assert approve(edit, admin).status == Edit.Status.APPROVED


@pytest.mark.usefixtures("admitted")
def test_the_proposer_never_approves_whatever_roles_they_hold() -> None:
    both = actor_of(person("both", "department_head", "administrator"))
    with pytest.raises(HaitangError, match="own_edit"):
        approve(propose(both), both)


@pytest.mark.usefixtures("admitted")
def test_an_approved_value_is_not_taken_back_by_who_proposed_it() -> None:
    head, admin = actor_of(person("head", "department_head")), actor_of(person("admin", "administrator"))
    edit = approve(propose(head), admin)
    with pytest.raises(HaitangError, match="own_edit"), acting(head) as act:
        withdraw_edit(act=act, edit=edit)
    with acting(admin) as act:
        assert withdraw_edit(act=act, edit=edit).status == Edit.Status.WITHDRAWN


@pytest.mark.usefixtures("admitted")
def test_a_proposal_is_taken_back_by_its_proposer_and_by_no_other_proposer() -> None:
    edit = propose(actor_of(person("head", "department_head")))
    with pytest.raises(HaitangError, match="not_allowed"), acting(actor_of(person("officer", "duty_officer"))) as act:
        withdraw_edit(act=act, edit=edit)
    with acting(actor_of(Person.objects.get(username="head"))) as act:
        assert withdraw_edit(act=act, edit=edit).status == Edit.Status.WITHDRAWN
