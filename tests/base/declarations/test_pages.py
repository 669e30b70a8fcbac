"""The page on which two people tune a value."""

from pathlib import Path

import pytest
from django.test import Client

from haitang.base.actions import acting, system
from haitang.base.declarations import actions, put_in_force
from haitang.base.declarations.models import Edit
from haitang.base.declarations.owners import Owner
from haitang.base.declarations.queries import tunable_keys
from haitang.base.declarations.release import Source
from haitang.hub.data.rules.kinds import Rule
from haitang.server.discovery import load_kinds
from haitang.support.security.people.models import Person, RoleHolding

load_kinds()
pytestmark = pytest.mark.django_db

FILES = {
    "devices/air_station.yaml": "title: 空气站\nobserves:\n  pm2_5: {title: 细颗粒物, unit: ug/m3, statistics: [hour mean]}\n",
    "rules/high.yaml": "title: 超标\nwatches: air_station.pm2_5, hour mean\nwhen: value > 115\n",
    "roles/tuner.yaml": "title: 调整人\nmay: [declarations.propose, declarations.decide]\n",
}
PLACE = {"place.yaml": "title: 某区\ncode: '500111'\n", "overrides.yaml": "device air_station: {silent_after: 2h}\n"}
FORM = {"kind": "rule", "id": "high", "key": "when", "value": "value > 90", "effective": "2026-01-01", "reason": "会商"}


@pytest.fixture(autouse=True)
def source() -> Source:
    found = Source(look_every=0)
    put_in_force(found)
    owners = [Owner("air", "application", Path("air"), FILES), Owner("somewhere", "place", Path("somewhere"), PLACE)]
    with acting(system("operator")) as act:
        actions.admit_release(act=act, owners=owners)
    return found


def client(name: str, role: str = "tuner") -> Client:
    person = Person.objects.create(username=name, name=name, synthetic=True)
    RoleHolding.objects.create(person=person, role=role)
    found = Client()
    found.force_login(person)
    return found


def test_the_keys_say_who_set_them() -> None:
    found = {(key.id, key.key): (key.value, key.source) for key in tunable_keys()}
    assert found["air_station", "silent_after"] == ("2h", "place")
    assert found["high", "when"] == ("value > 115", "application")
    assert found["high", "until"] == (None, "application")


def test_one_proposes_and_another_approves(source: Source) -> None:
    client("first").post("/tuning/propose", FORM)
    edit = Edit.objects.get()
    client("second").post(f"/tuning/{edit.pk}", {"do": "approve"})
    assert source().get(Rule, "high").when == "value > 90"


def test_the_page_shows_what_waits() -> None:
    first = client("first")
    first.post("/tuning/propose", FORM)
    shown = first.get("/tuning").content.decode()
    assert "待审批的调整" in shown
    assert "value &gt; 90" in shown


def test_the_proposer_is_told_that_another_must_approve() -> None:
    first = client("first")
    first.post("/tuning/propose", FORM)
    answer = first.post(f"/tuning/{Edit.objects.get().pk}", {"do": "approve"})
    assert answer.status_code == 403
    assert "不能自己批准" in answer.content.decode()


def test_a_value_that_does_not_fit_is_explained() -> None:
    answer = client("first").post("/tuning/propose", {**FORM, "key": "severity", "value": "terrible"})
    assert answer.status_code == 400
    assert not Edit.objects.exists()


def test_who_has_no_permission_is_refused() -> None:
    assert client("third", role="nobody").get("/tuning").status_code == 403
