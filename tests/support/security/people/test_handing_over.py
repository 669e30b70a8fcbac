"""Transfer, leave and delegation: work goes to a named person, and whatever is done for another says so."""

from datetime import timedelta

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import Actor, acting, system
from haitang.base.errors import HaitangError
from haitang.hub.business.cases.actions import move_case, open_case
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.models import RunEvent
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.actions import give_role
from haitang.support.security.people.handing_over.actions import delegate, delegate_for, end_delegation, leave, transfer
from haitang.support.security.people.models import Delegation, Organization, Person
from tests.support.security.people.proved import made, proved, proved_client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _organizations() -> None:
    Organization.objects.create(id="ecology", title="生态环境局", fills=["ecology_bureau"])
    Organization.objects.create(id="water", title="水利局")


def staff(name: str, *roles: str, organization: str | None = "ecology") -> Person:
    return made(name, *roles, organization_id=organization)


def admin() -> Actor:
    return proved(Person.objects.filter(username="admin").first() or made("admin", "administrator"))


def given_case(handler: Person) -> Case:
    with acting(system("rules")) as act:
        case = open_case(act=act, kind="air_exceedance", title="扬尘")
    with acting(proved(Person.objects.filter(username="dispatcher").first() or made("dispatcher", "dispatcher"))) as act:
        return move_case(act=act, case=case, move="dispatch", answers={"organization": "ecology", "person": str(handler.pk)})


def lend(giver: Person, taker: Person, days: int = 3) -> Delegation:
    with acting(proved(giver)) as act:
        return delegate(act=act, giver=giver, taker=taker, starts=clock.now() - timedelta(hours=1), ends=clock.now() + timedelta(days=days))


def test_whoever_leaves_names_who_takes_over() -> None:
    li, wu = staff("li", "handler"), staff("wu", "handler")
    case = given_case(li)
    with pytest.raises(HaitangError, match="leaves_work"), acting(admin()) as act:
        leave(act=act, person=li)
    with pytest.raises(HaitangError, match="taker_elsewhere"), acting(admin()) as act:
        leave(act=act, person=li, to=staff("far", "handler", organization="water"))
    with acting(admin()) as act:
        assert leave(act=act, person=li, to=wu) == 1
    case.refresh_from_db()
    li.refresh_from_db()
    assert (case.handler, li.is_active, li.holdings.count()) == (wu, False, 0)
    assert RunEvent.objects.get(run=case.run, kind="handed_over").data["before"] == str(li.pk)


def test_a_transfer_lays_the_old_roles_down() -> None:
    li = staff("li", "handler")
    with acting(admin()) as act:
        transfer(act=act, person=li, organization="water")
    li.refresh_from_db()
    assert (li.organization_id, li.holdings.count()) == ("water", 0)
    facts = EvidenceRecord.objects.filter(action="people.transfer").latest("id").facts
    assert (facts["from"], facts["to"], facts["roles"]) == ("ecology", "water", ["handler"])


def test_nobody_transfers_themselves() -> None:
    one = made("admin", "administrator")
    with pytest.raises(HaitangError, match="own_leave"), acting(proved(one)) as act:
        transfer(act=act, person=one, organization="water")


def acting_for(taker: Person, delegation: Delegation) -> Client:
    client = proved_client(taker)
    assert client.post(f"/account/delegations/{delegation.pk}/act").status_code == 302
    return client


def test_acting_for_another_has_their_roles_and_says_so() -> None:
    li, wu = staff("li", "handler"), staff("wu")
    case = given_case(li)
    client = acting_for(wu, lend(li, wu))
    answer = client.post(f"/api/cases/{case.number}/remarks", {"text": "已联系施工单位"}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    event = RunEvent.objects.filter(run=case.run, kind="remarked").latest("number")
    assert (event.actor, event.on_behalf_of, event.actor_name) == (f"staff:{wu.pk}", f"staff:{li.pk}", "wu（代li）")
    record = EvidenceRecord.objects.filter(action="case.remark").latest("id")
    assert (record.actor, record.facts["on_behalf_of"]) == (f"staff:{wu.pk}", f"staff:{li.pk}")


def test_the_data_plane_hears_the_roles_that_were_delegated() -> None:
    li, wu = staff("li", "handler"), staff("wu")
    lent = lend(li, wu)
    client = acting_for(wu, lent)
    told = client.get("/api/session").json()
    assert (told["person"], told["on_behalf_of"], told["roles"]) == (str(wu.pk), f"staff:{li.pk}", ["handler"])
    assert "thing.read" in told["may"]
    with acting(proved(li)) as act:
        end_delegation(act=act, delegation=lent)
    told = client.get("/api/session").json()
    assert (told["on_behalf_of"], told["roles"]) == (None, [])


def test_when_the_time_is_over_the_taker_is_themselves_again() -> None:
    li, wu = staff("li", "handler"), staff("wu")
    client = acting_for(wu, lend(li, wu, days=1))
    assert client.get("/cases").status_code == 200
    with clock.frozen(clock.now() + timedelta(minutes=30)):
        assert client.get("/cases").status_code == 200
        Delegation.objects.update(ends_at=clock.now() - timedelta(minutes=1))
        assert client.get("/cases").status_code == 403


def test_who_handled_for_another_does_not_verify_as_oneself_nor_does_the_other() -> None:
    from haitang.hub.business.procedures.engine import Made, State

    li, wu = staff("li", "handler"), staff("wu")
    state = State.__new__(State)
    state.made = [Made("handle", clock.now(), f"staff:{wu.pk}", False, f"staff:{li.pk}")]
    assert proved(li).refs & state.made_for("handle")
    assert proved(wu).refs & state.made_for("handle")
    assert not proved(staff("zhao")).refs & state.made_for("handle")


def test_roles_that_are_apart_are_apart_across_delegation() -> None:
    li, wu = staff("li", "handler"), staff("wu")
    with pytest.raises(HaitangError, match="roles_apart"):
        lend(li, staff("security", "security_administrator"))
    lend(li, wu)
    with pytest.raises(HaitangError, match="roles_apart"), acting(proved(made("giver", "security_administrator"))) as act:
        give_role(act=act, person=wu, role="audit_administrator")


@pytest.mark.parametrize("office", ["administrator", "security_administrator", "audit_administrator"])
def test_no_officer_delegates(office: str) -> None:
    with pytest.raises(HaitangError, match="nothing_to_delegate"):
        lend(staff("officer", office), staff("wu"))


def test_only_the_security_administrator_arranges_for_others_and_not_to_themselves() -> None:
    li, wu, security = staff("li", "handler"), staff("wu"), made("security", "security_administrator")
    until = {"starts": clock.now(), "ends": clock.now() + timedelta(days=1)}
    with pytest.raises(HaitangError, match="not_allowed"), acting(admin()) as act:
        delegate_for(act=act, giver=li, taker=wu, **until)
    with pytest.raises(HaitangError, match="only_own"), acting(proved(wu)) as act:
        delegate(act=act, giver=li, taker=wu, **until)
    with pytest.raises(HaitangError, match="own_delegation"), acting(proved(security)) as act:
        delegate_for(act=act, giver=li, taker=security, **until)
    with acting(proved(security)) as act:
        assert delegate_for(act=act, giver=li, taker=wu, **until).roles == ["handler"]
