"""Sorts of identity stay apart, in the database too."""

import pytest
from django.db import IntegrityError, transaction

from haitang.base import ports
from haitang.base.actions import Actor, acting, permissions, system
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.actions import change_password, create_person, give_role
from haitang.support.security.people.models import Organization, Person, RoleHolding
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("sort", ["citizen", "enterprise"])
def test_the_database_lets_only_staff_hold_a_role(sort: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        RoleHolding.objects.create(person=Person.objects.create(username="c", name="丙", kind=sort), role="dispatcher")
    holder = made("staff", "dispatcher")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=holder.pk).update(kind=sort)


@pytest.mark.parametrize(
    "wrong", [{"kind": "device"}, {"kind": "citizen", "staff_number": "1"}, {"kind": "staff", "uscc": "91500111MA00000000"}]
)
def test_the_database_keeps_what_belongs_to_a_sort(wrong: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(username="x", name="丁", **wrong)


def test_no_citizen_belongs_to_an_organization() -> None:
    organization = Organization.objects.create(id="ecology", title="生态环境局")
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.create(username="c", name="丙", kind="citizen", organization=organization)


def test_a_role_is_not_given_to_a_citizen_even_of_the_same_human_being() -> None:
    with acting(system("setup")) as act:
        clerk = create_person(act=act, username="clerk", name="甲", identity_number="11010519491231002X")
        citizen = create_person(act=act, username="citizen", name="甲", identity_number="11010519491231002X", kind="citizen")
        give_role(act=act, person=clerk, role="dispatcher")
    with pytest.raises(HaitangError, match="staff_only"), acting(proved(made("security", "security_administrator"))) as act:
        give_role(act=act, person=citizen, role="dispatcher")
    assert proved(citizen).roles == frozenset()


@pytest.mark.parametrize("sort", ["citizen", "enterprise", "device"])
def test_no_other_sort_has_a_permission_of_staff(sort: str) -> None:
    actor = Actor(sort, "1", "某", roles=frozenset({"administrator", "dispatcher"}))
    given = {word for word in permissions if ports.policy().decide(actor=actor, permission=word, resource=None).allowed}
    assert not {word for word in given if not word.startswith("people.") or word in ("people.create", "people.give_role")}


def test_evidence_shows_the_sort() -> None:
    citizen = Person(username="c", name="丙", kind="citizen")
    citizen.set_password("river-stone-42")
    citizen.save()
    with acting(system("setup")) as act:
        create_person(act=act, username="ent", name="某公司", kind="enterprise")
    record = EvidenceRecord.objects.latest("id")
    assert (record.actor, record.facts["kind"]) == ("system:setup", "enterprise")
    with pytest.raises(HaitangError), acting(proved(made("staff"))) as act:
        change_password(act=act, person=citizen, current="river-stone-42", new="another-stone-43")
