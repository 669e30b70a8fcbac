"""What administrators do about one person and about organizations, on their pages, and what it leaves in the ledger."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Delegation, Organization, Person, Session
from haitang.support.security.people.organizations.actions import change_organization
from tests.support.security.people.proved import made, proved, proved_client

pytestmark = pytest.mark.django_db
PASSWORD = "river-stone-42"
HASHED = make_password(PASSWORD)


def signed_in(person: Person, *, fresh: bool = True) -> Client:
    if fresh:
        return proved_client(person)
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def admin() -> Client:
    return signed_in(made("admin", "administrator"))


def last(action: str) -> dict[str, Any]:
    return dict(EvidenceRecord.objects.filter(action=action).latest("id").facts)


def test_name_and_contacts_are_changed_with_evidence_that_holds_none_of_them(admin: Client) -> None:
    li = made("li", mobile="13900000001")
    assert admin.post(f"/people/{li.pk}/data", {"name": "李新", "mobile": "13900000002"}).status_code == 302
    li.refresh_from_db()
    assert (li.name, li.mobile) == ("李新", "13900000002")
    facts = last("people.change")
    assert facts["changed"] == ["name", "mobile"]
    assert "13900000002" not in str(facts)
    assert "李新" not in str(facts)


def test_a_wrong_number_is_told_beside_what_was_typed(admin: Client) -> None:
    li = made("li")
    answer = admin.post(f"/people/{li.pk}/data", {"name": "李新", "mobile": "12"})
    assert (answer.status_code, answer.context["typed"]["name"]) == (400, "李新")
    assert "手机号应为 1 开头的 11 位数字" in answer.content.decode()


def test_a_change_of_data_asks_for_proof_and_is_not_everybodys(admin: Client) -> None:
    li = made("li")
    stale = signed_in(made("second", "administrator"), fresh=False)
    assert "kept" in stale.post(f"/people/{li.pk}/data", {"name": "李新"}).context
    assert signed_in(made("auditor", "auditor")).post(f"/people/{li.pk}/data", {"name": "李新"}).status_code == 403
    assert signed_in(li).post(f"/people/{li.pk}/data", {"name": "李新"}).status_code == 403


def test_one_session_of_somebody_is_ended_and_the_other_lives(admin: Client) -> None:
    li = made("li")
    here, there = signed_in(li), signed_in(li)
    first, second = Session.objects.filter(person=li).order_by("started_at")
    assert admin.post(f"/people/{li.pk}/sessions/{first.id}/end").status_code == 302
    assert [each.get("/api/session").status_code for each in (here, there)] == [401, 200]
    other = made("other")
    assert admin.post(f"/people/{other.pk}/sessions/{second.id}/end").status_code == 404
    assert last("people.end_sessions") == {"sessions": 1}


def test_everybody_reads_what_happened_to_their_account_and_nothing_of_anothers(admin: Client) -> None:
    li, wang = made("li", password=HASHED), made("wang")
    admin.post(f"/people/{li.pk}/data", {"name": "李新", "mobile": ""})
    page = signed_in(li).get("/account")
    assert [(each.title, each.by) for each in page.context["happenings"]] == [("修改人员资料", "admin")]
    assert "修改人员资料" in page.content.decode()
    assert signed_in(wang).get("/account").context["happenings"] == []


# -- acting for one who is absent -------------------------------------------------------------------------------------------------------------------


def arrangement(**change: str) -> dict[str, str]:
    start = clock.now().astimezone(clock.CHINA)
    return {
        "taker": "wang", "starts": f"{start:%Y-%m-%dT%H:%M}", "ends": f"{start + timedelta(days=2):%Y-%m-%dT%H:%M}", "reason": "住院", **change,
    }  # fmt: skip


def test_the_security_administrator_arranges_and_ends_it_by_page() -> None:
    li, wang = made("li", "verifier"), made("wang")
    security, taker = signed_in(made("security", "security_administrator")), signed_in(wang)
    assert security.post(f"/people/{li.pk}/delegate", arrangement()).status_code == 302
    found = Delegation.objects.get()
    assert last("people.delegate_for")["taker"] == str(wang.pk)
    assert "由 wang 代办" in security.get(f"/people/{li.pk}").content.decode()
    taker.post(f"/account/delegations/{found.pk}/act")
    assert (taker.get("/alarms").status_code, taker.get("/api/alarms").status_code) == (200, 200)
    assert security.post(f"/people/{li.pk}/delegations/{found.pk}/end").status_code == 302
    assert (taker.get("/alarms").status_code, taker.get("/api/alarms").status_code) == (403, 403)


def test_the_delegated_roles_end_in_time_on_page_and_api() -> None:
    li, wang = made("li", "verifier"), made("wang")
    signed_in(made("security", "security_administrator")).post(f"/people/{li.pk}/delegate", arrangement())
    taker = signed_in(wang)
    taker.post(f"/account/delegations/{Delegation.objects.get().pk}/act")
    assert taker.get("/api/session").json()["roles"] == ["verifier"]
    Delegation.objects.update(ends_at=clock.now() - timedelta(seconds=1), starts_at=clock.now() - timedelta(days=1))
    assert taker.get("/api/session").json()["roles"] == []
    assert (taker.get("/alarms").status_code, taker.get("/api/alarms").status_code) == (403, 403)


@pytest.mark.parametrize(("who", "status"), [("administrator", 403), ("auditor", 403), ("verifier", 403)])
def test_nobody_else_arranges_for_others(who: str, status: int) -> None:
    li = made("li", "verifier")
    made("wang")
    assert signed_in(made("me", who)).post(f"/people/{li.pk}/delegate", arrangement()).status_code == status
    assert not Delegation.objects.exists()


def test_a_delegation_of_another_is_not_ended_by_this_persons_address() -> None:
    li, wang, other = made("li", "verifier"), made("wang"), made("other", "verifier")
    security = signed_in(made("security", "security_administrator"))
    security.post(f"/people/{li.pk}/delegate", arrangement())
    assert security.post(f"/people/{other.pk}/delegations/{Delegation.objects.get().pk}/end").status_code == 404
    assert wang.delegations_taken.get().ended_at is None


# -- organizations ----------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def houses() -> dict[str, Organization]:
    return {
        id: Organization.objects.create(id=id, title=id, parent_id=parent)
        for id, parent in (("city", None), ("water", "city"), ("pump", "water"))
    }


@pytest.mark.parametrize("under", ["water", "pump"])
def test_no_organization_comes_to_stand_under_itself(houses: dict[str, Organization], under: str) -> None:
    with pytest.raises(HaitangError, match="organization_below_itself"), acting(proved(made("admin", "administrator"))) as act:
        change_organization(act=act, organization=houses["water"], title="水利局", parent=under)


def test_an_organization_is_moved_by_page_with_evidence(admin: Client, houses: dict[str, Organization]) -> None:
    assert admin.post("/people/organizations/pump", {"title": "泵站", "parent": "city", "division": "500100"}).status_code == 302
    assert last("people.change_organization")["from"] == {"parent": "water", "division": ""}
    shown = admin.get("/people/organizations").context["rows"]
    assert [(depth, each.pk) for depth, each in shown] == [(0, "city"), (1, "pump"), (1, "water")]
    assert signed_in(made("security", "security_administrator")).post("/people/organizations/pump", {"title": "x"}).status_code == 403
    assert admin.post("/people/organizations/pump", {"title": "泵站", "division": "x"}).status_code == 400
