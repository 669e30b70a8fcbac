"""A refusal explains itself to whom it concerns, tells nobody else anything, and floods nothing."""

from collections.abc import Iterator

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import NOT_ALLOWED, Refusal, Refused, system
from haitang.base.ports import policy
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Organization, Person, RoleHolding
from haitang.support.security.people.queries import actor_of
from haitang.support.security.policy import refusals
from haitang.support.security.policy.models import Refusal as Kept
from haitang.support.security.policy.trial import Trial, try_it
from tests.support.security.shipped import shipped_in_force

pytestmark = pytest.mark.django_db
shipped = pytest.fixture(autouse=True)(shipped_in_force)


@pytest.fixture(autouse=True)
def _one_day() -> Iterator[None]:
    """Refusals are kept by the day."""
    with clock.frozen(clock.now()):
        yield


def person(name: str, *roles: str, organization: str | None = None) -> Person:
    if organization:
        Organization.objects.get_or_create(id=organization, title=organization)
    made = Person.objects.create(username=name, name=name, synthetic=True, organization_id=organization)
    RoleHolding.objects.bulk_create([RoleHolding(person=made, role=role) for role in roles])
    return made


def client(who: Person) -> Client:
    found = Client()
    found.force_login(who)
    return found


def refuse(who: Person, permission: str, resource: object = None) -> Kept:
    decision = policy().decide(actor=actor_of(who), permission=permission, resource=resource)
    assert not decision.allowed
    return refusals.kept(Refusal(actor_of(who), permission, resource, decision), "POST /cases")


def test_a_page_that_refuses_leads_to_its_explanation() -> None:
    asking = client(person("handler", "handler", organization="water"))
    refused = asking.get("/people")
    address = refused.content.decode().partition('href="/why/')[2].partition('"')[0]
    told = asking.get(f"/why/{address}").content.decode()
    assert refused.status_code == 403
    assert "查看人员" in told
    assert "系统管理员" in told


def test_the_api_names_the_reference_too() -> None:
    answer = client(person("handler", "handler", organization="water")).get("/api/people").json()
    assert answer["code"] == "base.not_allowed"
    assert answer["why"].startswith("/why/")


def test_who_was_refused_learns_nothing_of_the_thing_and_an_officer_everything() -> None:
    one = person("handler", "handler", organization="water")
    kept = refuse(one, "case.move", {"kind": "case", "id": "7", "organization": "ecology", "stage": "dispatched"})
    mine, officers = (client(who).get(f"/why/{kept.code}").content.decode() for who in (one, person("auditor", "auditor")))
    assert "只能办理本单位的事项" in mine
    assert "ecology" not in mine
    assert "dispatched" not in mine
    assert "permit (" not in mine
    assert "ecology" in officers


def test_anothers_refusal_is_not_found_and_one_that_is_not_there_answers_alike() -> None:
    kept = refuse(person("one", "handler", organization="water"), "case.move", {"organization": "ecology"})
    other = client(person("other", "handler", organization="water"))
    assert [other.get(f"/api/why/{code}").status_code for code in (kept.code, "AAAA-AAAA")] == [404, 404]


def test_the_same_refusal_is_counted_and_recorded_once() -> None:
    one = person("one", "handler", organization="water")
    for _ in range(5):
        kept = refuse(one, "people.create")
    kept.refresh_from_db()
    assert (Kept.objects.count(), kept.count) == (1, 5)
    assert EvidenceRecord.objects.filter(action="evidence.denied", actor=f"staff:{one.id}").count() == 1


def test_many_different_refusals_flood_neither_rows_nor_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "ROWS_A_DAY", 6)
    monkeypatch.setattr(refusals, "RECORDS_A_DAY", 3)
    one = person("one", "handler", organization="water")
    for number in range(20):
        refuse(one, "case.move", {"kind": "case", "id": number, "organization": "ecology"})
    assert Kept.objects.count() == 7
    assert Kept.objects.get(subject_ref="*").count == 14
    assert EvidenceRecord.objects.filter(action="evidence.denied").count() == 3


def test_a_refused_read_of_something_general_is_no_evidence() -> None:
    assert refuse(person("nobody"), "alarm.read").evidence is None


def test_the_explanation_says_when_the_answer_has_changed() -> None:
    one = person("one")
    kept = refuse(one, "alarm.read")
    RoleHolding.objects.create(person=one, role="verifier")
    assert "现在可以了" in client(one).get(f"/why/{kept.code}").content.decode()


def test_an_officer_tries_who_may_do_what_and_nothing_is_kept() -> None:
    asked = {"roles": "handler", "of": "ecology", "permission": "case.move", "organization": "ecology", "kind": "case"}
    page = client(person("auditor", "auditor")).get("/policies/try", asked).content.decode()
    assert "own/handler" in page
    assert "允许" in page
    assert Kept.objects.count() == 0


@pytest.mark.parametrize(("organization", "allowed"), [("ecology", True), ("water", False)])
def test_a_trial_decides_as_the_policies_do(organization: str, allowed: bool) -> None:
    told = try_it(Trial(roles=("handler",), organization="ecology"), "case.move", {"organization": organization})
    assert told.allowed is allowed


def test_every_policy_in_force_can_be_read() -> None:
    page = client(person("auditor", "auditor")).get("/policies").content.decode()
    assert all(word in page for word in ("own/handler", "token_scope", "system/rules"))


def test_what_refuses_never_stands_in_the_way_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "kept", lambda *_: 1 / 0)
    assert client(person("nobody")).get("/people").status_code == 403


def test_a_process_is_refused_in_words_too() -> None:
    decision = policy().decide(actor=system("sealer"), permission="case.move", resource=None)
    kept = refusals.kept(Refused(NOT_ALLOWED, {}, Refusal(system("sealer"), "case.move", None, decision)).refusal, "process")
    assert kept.decision == "system"


def test_an_id_that_no_table_holds_is_kept_legibly() -> None:
    found = refuse(person("handler", "handler", organization="water"), "people.read", {"kind": "person", "id": "a\0b" * 100})
    assert found.subject_ref.startswith("person:a\u2400b")
    assert "\0" not in found.way + found.subject_ref
