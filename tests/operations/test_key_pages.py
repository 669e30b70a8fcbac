"""Signing keys on a page: one officer asks, another decides, and what comes of it verifies."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.keyring import keys, mark_compromised, signing_key
from haitang.support.security.evidence.models import EvidenceRecord, KeyProposal
from haitang.support.security.evidence.proposals import decide, propose
from haitang.support.security.evidence.sealing import seal_all
from tests.hub.business import world
from tests.support.security.ledger_world import check, codes, exported, instance, write
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path) -> Iterator[None]:
    with world.declared(), instance(tmp_path):
        write("a")
        seal_all()
        yield


def asked(by: str, what: str = "rotate", **more: object) -> KeyProposal:
    with acting(proved(made(by, "security_administrator"))) as act:
        return propose(act=act, what=what, reason="other", **more)  # type: ignore[arg-type]


def test_one_asks_another_decides_and_the_new_key_signs() -> None:
    root = signing_key()[0]
    found = asked("first")
    assert signing_key()[0] == root
    with acting(proved(made("second", "security_administrator"))) as act:
        done = decide(act=act, proposal=found, approve=True)
    assert signing_key()[0].id == done.made_id != root.id
    write("b")
    seal_all()
    assert check(exported(), root.public).findings == []
    assert [each.actor for each in EvidenceRecord.objects.filter(action="evidence.rotate_key")] == ["system:keys"]
    with pytest.raises(HaitangError, match=r"keys\.decided"), acting(proved(made("third", "security_administrator"))) as act:
        decide(act=act, proposal=found, approve=True)
    assert len(keys()) == 2


def test_nobody_decides_what_they_asked_for_by_whichever_account() -> None:
    found = asked("first")
    from haitang.support.security.people.models import Person

    first = Person.objects.get(username="first")
    first.mobile = "13900000004"
    first.save()
    for who in (first, made("again", "security_administrator", mobile="13900000004")):
        with pytest.raises(HaitangError, match="own_proposal"), acting(proved(who)) as act:
            decide(act=act, proposal=found, approve=True)
    assert len(keys()) == 1


def test_the_system_administrator_asks_and_cannot_decide() -> None:
    admin = made("admin", "administrator")
    with acting(proved(admin)) as act:
        found = propose(act=act, what="rotate", reason="scheduled")
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(admin)) as act:
        decide(act=act, proposal=found, approve=True)
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(made("s", "security_administrator"))) as act:
        mark_compromised(act=act, key=keys()[0].id, since=act.at, reason="other")


def test_what_a_compromised_key_signed_since_then_does_not_hold() -> None:
    root, since = signing_key()[0], clock.now() - timedelta(minutes=1)
    found = asked("first", "compromise", key=root.id, begins=since)
    with acting(proved(made("second", "security_administrator"))) as act:
        decide(act=act, proposal=found, approve=True)
    write("b")
    seal_all()
    report = check(exported(), root.public)
    assert codes(report) >= {"key_compromised"}


def signed_in(name: str, *roles: str) -> Client:
    client = Client()
    client.force_login(made(name, *roles))
    return client


def test_the_page_keeps_what_was_typed_and_asks_for_proof() -> None:
    client = signed_in("first", "security_administrator")
    later = (clock.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    proof = client.post("/evidence/keys/propose", {"what": "rotate", "begins": "", "reason": "scheduled"})
    assert proof.status_code == 403
    assert not KeyProposal.objects.exists()
    session = client.session
    session["proved_at"] = clock.now().timestamp()
    session.save()
    page = client.get("/evidence/keys").content.decode()
    assert keys()[0].id in page
    assert later not in page


def test_a_deciding_officer_sees_the_buttons_and_an_auditor_only_the_chain() -> None:
    found = asked("first")
    assert f"/evidence/keys/{found.pk}" in signed_in("second", "security_administrator").get("/evidence/keys").content.decode()
    page = signed_in("auditor", "audit_administrator").get("/evidence/keys").content.decode()
    assert keys()[0].id in page
    assert "<form" not in page.split("</header>")[-1]
    assert f"/evidence/keys/{found.pk}" not in page


def test_the_operators_command_still_works_alone() -> None:
    with acting(system("operator")) as act:
        mark_compromised(act=act, key=keys()[0].id, since=act.at, reason="lost_disk")
    assert len(keys()) == 2
