"""Devices are decided on by Cedar: by MQTT, HTTP and HJ 212 alike, from memory; a refusal is kept where it is explained."""

import asyncio
from typing import Any

import httpx
import pytest
from django.db import OperationalError

from haitang.base import clock
from haitang.base.actions import permissions
from haitang.base.declarations import Declarations, put_in_force
from haitang.support.infrastructure.listeners import directory, rights
from haitang.support.infrastructure.listeners.directory import Directory
from haitang.support.infrastructure.listeners.hj212.packet import compose, parse
from haitang.support.infrastructure.listeners.hj212.registry import Registry
from haitang.support.infrastructure.listeners.rights import OBSERVE, RECEIVE, Refusals, decided, keep
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.policy.decide import CedarPolicy
from haitang.support.security.policy.entities import subject_of
from haitang.support.security.policy.kinds import Policy
from haitang.support.security.policy.models import Refusal
from tests.support.infrastructure.listeners.conftest import NOISE, make_thing

pytestmark = pytest.mark.django_db(transaction=True)
FORBIDS = """forbid (principal is Device, action == Action::"device.observe", resource)
when { resource has organization && resource.organization == Organization::"water" };
forbid (principal is Device, action == Action::"device.receive", resource)
when { resource has device && resource.device == "noise_meter" && resource has stage && resource.stage == "provisional" };"""


@pytest.fixture(autouse=True)
def policies(transactional_db: None) -> Any:
    forbids = Policy.model_validate({"title": "水利局设备暂停接入", "cedar": FORBIDS, "ask": "请水利局设备管理员办理"})
    forbids._id = "water_paused"
    put_in_force(Declarations("rights", {"device": {"noise_meter": NOISE}, "policy": {"water_paused": forbids}}))
    yield
    put_in_force(Declarations("", {}))


def thing(id: str, **more: Any) -> Thing:
    return Thing.objects.create(id=id, title=id, device="noise_meter", **more)


def test_a_device_may_what_policies_say_of_its_type_status_and_organization() -> None:
    things = [thing("plain"), thing("paused", organization_id="water"), thing("new", status=Thing.PROVISIONAL)]
    found = decided(things)
    assert {id: (each.observe, each.receive) for id, each in found.items()} == {
        "plain": (True, True),
        "paused": (False, True),
        "new": (True, False),
    }
    assert "水利局设备暂停接入" in found["paused"].why_not(OBSERVE).reason


def test_nobody_is_a_stranger_while_the_database_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The front may start before the database is back: devices are let in once it is, and not refused until then."""
    real, times = directory._look, iter(range(2))

    def look(*told: Any) -> Any:
        if next(times, None) is not None:
            raise OperationalError("the database system is starting up")
        return real(*told)

    async def go() -> bool:
        found = Directory("test")
        await found.open()
        there = "plain" in {each.thing for each in found.view.by_identifier.values()}
        await found.close()
        return there

    make_thing("plain")
    monkeypatch.setattr(directory, "_look", look)
    assert asyncio.run(go())


def test_a_device_is_nobody_but_itself() -> None:
    one, other = thing("one"), thing("other")
    for word in (OBSERVE, RECEIVE):
        asked = [
            CedarPolicy().decide(actor=rights.actor_of(one), permission=word, resource=subject_of(each)).allowed for each in (one, other)
        ]
        assert asked == [True, False]
    given = [
        word for word in permissions if CedarPolicy().decide(actor=rights.actor_of(one), permission=word, resource=subject_of(one)).allowed
    ]
    assert sorted(given) == [OBSERVE, RECEIVE], "nothing else in the house is open to a device"


def test_what_is_decided_is_kept_until_the_thing_or_the_release_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    decide = CedarPolicy.decide
    monkeypatch.setattr(CedarPolicy, "decide", lambda self, **more: asked.append(more["actor"].id) or decide(self, **more))
    one, two = thing("one"), thing("two")
    for _ in range(3):
        decided([one, two])
    assert sorted(asked) == ["one", "one", "two", "two"]
    two.organization_id = "water"
    assert not decided([one, two])["two"].observe
    assert asked[4:] == ["two", "two"]


def test_a_refusal_is_kept_once_with_evidence_and_explained() -> None:
    found, noted = decided([thing("paused", organization_id="water")])["paused"], Refusals()
    for _ in range(1000):
        noted.note(found, OBSERVE, "MQTT PUBLISH")
    keep(noted.take())
    kept = Refusal.objects.get()
    assert (kept.actor, kept.permission, kept.subject["device"], kept.count, kept.decision) == (
        "device:paused",
        OBSERVE,
        "noise_meter",
        1,
        "forbidden",
    )
    assert EvidenceRecord.objects.filter(ref=kept.evidence).exists()
    assert keep(noted.take()) is None


def test_http_refuses_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    from haitang.support.infrastructure.listeners.http.ingest import Ingest

    issued = make_thing("paused")
    Thing.objects.filter(pk="paused").update(organization_id="water")

    async def run() -> tuple[Any, list[Any]]:
        directory = Directory("test")
        await directory.refresh()
        counters: Any = type("Counts", (), {"add": lambda self, *a: None, "knock": lambda self, *a, **k: None})()
        ingest = Ingest(None, directory, None, counters, None)  # type: ignore[arg-type]
        authorization = httpx.BasicAuth(issued.credential.identifier, issued.secret)._auth_header
        with pytest.raises(rights.Refused) as refused:
            await ingest.sign_in(authorization, "127.0.0.1")
        await directory.refresh()
        await directory.close()
        return refused.value, list(directory.view.by_identifier.values())

    refused, known = asyncio.run(run())
    assert (refused.status, [each.rights.observe for each in known]) == (403, [False])
    assert Refusal.objects.get().way == "HTTP POST /api/data/observations"


def test_a_station_that_policies_refuse_is_not_answered() -> None:
    thing("good", mn="M1")
    thing("paused", mn="M2", organization_id="water")

    async def run() -> list[bool]:
        registry = Registry(admit=True)
        await registry.refresh()
        found = [
            registry.source_of(
                parse(compose(st="22", cn="2011", mn=mn, pw="", qn="20260301080000000", flag=5, cp="")), "127.0.0.1", clock.now()
            )
            is not None
            for mn in ("M1", "M2")
        ]
        await registry.refresh()
        await registry.close()
        return found

    assert asyncio.run(run()) == [True, False]
    assert Refusal.objects.get().way == "HJ 212"
