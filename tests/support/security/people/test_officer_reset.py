"""A password that the system administrator knows is not enough to be another officer."""

import json
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.actions import (
    appoint,
    change_password,
    create_person,
    first_administrator,
    give_role,
    set_password,
)
from haitang.support.security.people.factors.actions import (
    add_authenticator,
    confirm_authenticator,
    enter_enrolment,
    remove_factor,
    reset_factors,
)
from haitang.support.security.people.factors.models import Authenticator
from haitang.support.security.people.handing_over.actions import change_own, change_person
from haitang.support.security.people.joining.actions import accept, invite
from haitang.support.security.people.models import Person, RoleHolding, Session
from tests.support.security.people.proved import made, proved, proved_client

pytestmark = pytest.mark.django_db
PASSWORD = "river-stone-42"
HASHED = make_password(PASSWORD)
OFFICES = ["administrator", "security_administrator", "audit_administrator"]


def officer(role: str) -> Person:
    """A real one: made-up people need no factor."""
    person = made(f"holds-{role}", role, password=HASHED)
    Person.objects.filter(pk=person.pk).update(synthetic=False)
    person.refresh_from_db()
    return person


def enrol(person: Person, opened: str = "") -> Authenticator:
    with acting(proved(person)) as act:
        factor, secret = add_authenticator(act=act, person=person, opened=opened)
        confirm_authenticator(act=act, person=person, code=pyotp.TOTP(secret).at(clock.now()), opened=opened)
    return factor


def enrolled(role: str) -> Person:
    person = officer(role)
    with acting(system("operator")) as act:
        code = reset_factors(act=act, person=person)
    with acting(proved(person)) as act:
        opened = enter_enrolment(act=act, person=person, code=code)
    enrol(person, opened)
    return person


def sign_in(username: str, password: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post(
        "/api/session", json.dumps({"username": username, "password": password}), content_type="application/json"
    ).json()


@pytest.mark.parametrize("role", OFFICES)
def test_a_reset_password_leaves_the_officers_factor_between(role: str) -> None:
    victim = enrolled(role)
    with acting(proved(made("admin", "administrator"))) as act:
        secret = set_password(act=act, person=victim)
    client, told = sign_in(victim.username, secret)
    assert told["code"] == "people.needs_code"
    assert client.get("/account/factors").status_code == 302


@pytest.mark.parametrize("role", OFFICES)
def test_an_officer_without_a_factor_gets_no_password_nor_invitation_from_the_administrator(role: str) -> None:
    victim, admin = officer(role), proved(made("admin", "administrator"))
    for does in (set_password, invite):
        with pytest.raises(HaitangError, match="officer_without_factor"), acting(admin) as act:
            does(act=act, person=victim)
    victim.refresh_from_db()
    assert victim.password == HASHED


def test_a_password_known_from_before_does_not_register_after_the_factor_was_reset() -> None:
    victim, admin = enrolled("audit_administrator"), proved(made("admin", "administrator"))
    with acting(admin) as act:
        secret, link = set_password(act=act, person=victim), invite(act=act, person=victim)
    with acting(proved(made("security", "security_administrator"))) as act:
        handed_over = reset_factors(act=act, person=victim)
    client, told = sign_in(victim.username, secret)
    assert told["must_change_password"] is True
    victim.refresh_from_db()
    with acting(proved(victim)) as act:
        change_password(act=act, person=victim, current=secret, new="lake-bridge-77")
    with pytest.raises(HaitangError, match="no_invitation"), acting(system("sign-in")) as act:
        accept(act=act, token=link, password="lake-bridge-78")
    client, _ = sign_in(victim.username, "lake-bridge-77")
    assert client.post("/account/factors/authenticator").status_code == 403
    assert client.post("/account/factors/enrolment", {"code": "k7mq-2xwd-hn94-ttge"}).status_code == 400
    assert client.post("/account/factors/enrolment", {"code": handed_over}).status_code == 302
    assert client.post("/account/factors/authenticator").status_code == 200


def test_a_code_opens_one_session_once_and_nobody_elses() -> None:
    victim = officer("audit_administrator")
    other = officer("administrator")
    with acting(proved(made("security", "security_administrator"))) as act:
        code = reset_factors(act=act, person=victim)
    with pytest.raises(HaitangError, match="wrong_enrolment"), acting(proved(other)) as act:
        enter_enrolment(act=act, person=other, code=code)
    with acting(proved(victim)) as act:
        opened = enter_enrolment(act=act, person=victim, code=code)
    with pytest.raises(HaitangError, match="wrong_enrolment"), acting(proved(victim)) as act:
        enter_enrolment(act=act, person=victim, code=code)
    with pytest.raises(HaitangError, match="needs_enrolment"), acting(proved(other)) as act:
        add_authenticator(act=act, person=other, opened=opened)
    with pytest.raises(HaitangError, match="needs_enrolment"), acting(proved(victim)) as act:
        add_authenticator(act=act, person=victim)


def test_an_officer_keeps_a_factor() -> None:
    one = enrolled("audit_administrator")
    with pytest.raises(HaitangError, match="last_factor"), acting(proved(one)) as act:
        remove_factor(act=act, person=one, factor=Authenticator.objects.get(person=one))
    assert Authenticator.objects.filter(person=one).exists()


def test_the_first_officers_of_an_instance_register_once_without_a_second_officer() -> None:
    with acting(system("setup")) as act:
        first_administrator(act=act)
        audit = create_person(act=act, username="shen", name="沈")
    first = Person.objects.get(username="admin")
    with acting(proved(first)) as act:
        appoint(act=act, person=audit, role="audit_administrator")
    for person in (first, audit):
        enrol(person)
        Authenticator.objects.filter(person=person).delete()
        with pytest.raises(HaitangError, match="needs_enrolment"), acting(proved(person)) as act:
            add_authenticator(act=act, person=person)


def test_the_machine_resets_an_officer_and_evidence_names_the_operator() -> None:
    victim = officer("security_administrator")
    with acting(system("operator")) as act:
        set_password(act=act, person=victim)
        assert reset_factors(act=act, person=victim)
    told = EvidenceRecord.objects.filter(subject_id=str(victim.pk), action__in=["people.set_password", "people.reset_factors"])
    assert {each.actor for each in told} == {"system:operator"}


def test_the_second_officer_is_shown_the_code_once_and_others_are_reset_as_before() -> None:
    security = made("security", "security_administrator")
    client = proved_client(security)
    audit, plain = officer("audit_administrator"), made("plain")
    shown = client.post(f"/people/{audit.pk}/change", {"do": "factors"})
    assert shown.context["code"] in shown.content.decode()
    assert shown.context["code"] not in client.get(f"/people/{audit.pk}").content.decode()
    assert client.post(f"/people/{plain.pk}/change", {"do": "factors"}).status_code == 302
    assert RoleHolding.objects.filter(person=audit).exists()


@pytest.mark.parametrize("way", [give_role, appoint])
def test_whoever_comes_into_an_office_keeps_no_factor_nor_session_of_before(way: Any) -> None:
    person = made("zhao", password=HASHED)
    Person.objects.filter(pk=person.pk).update(synthetic=False)
    person.refresh_from_db()
    enrol(person)
    sessions = Session.objects.filter(person=person)
    Session.objects.create(
        session_key="kept", person=person, started_at=clock.now(), seen_at=clock.now(), expire_date=clock.now() + timedelta(hours=1)
    )
    giver = proved(made("giver", "security_administrator" if way is give_role else "administrator"))
    with acting(giver) as act:
        way(act=act, person=person, role="audit_administrator")
    assert not Authenticator.objects.filter(person=person).exists()
    assert not sessions.exists()
    told = EvidenceRecord.objects.filter(subject_id=str(person.pk), action__in=["people.give_role", "people.appoint"]).get().facts
    assert told["factors_dropped"] == 1


def test_an_appointed_officer_who_had_a_factor_before_registers_again_once() -> None:
    """The first security administrator has no second officer to ask for a code."""
    person = made("zhao", password=HASHED)
    Person.objects.filter(pk=person.pk).update(synthetic=False)
    person.refresh_from_db()
    enrol(person)
    with acting(proved(made("first", "administrator"))) as act:
        appoint(act=act, person=person, role="security_administrator")
    enrol(person)
    Authenticator.objects.filter(person=person).delete()
    with pytest.raises(HaitangError, match="needs_enrolment"):
        enrol(person)


@pytest.mark.parametrize("ways", [{"email": "other@example.org", "mobile": ""}, {"email": "", "mobile": "13900000000"}])
def test_an_officers_ways_to_be_reached_are_changed_by_nobody_else(ways: dict[str, str]) -> None:
    person = officer("security_administrator")
    with pytest.raises(HaitangError, match="officers_reach"), acting(proved(made("first", "administrator"))) as act:
        change_person(act=act, person=person, name=person.name, **ways)
    with pytest.raises(HaitangError, match="only_own_data"), acting(proved(made("second", "security_administrator"))) as act:
        change_own(act=act, person=person, **ways)
    with acting(proved(person)) as act:
        change_own(act=act, person=person, **ways)
    person.refresh_from_db()
    assert {"email": person.email, "mobile": person.mobile} == ways
