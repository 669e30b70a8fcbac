"""Things: seeded once, admitted by a person, with evidence of every decision."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.things import actions, listening
from haitang.support.infrastructure.things.kinds import Device, Hj212, Observed
from haitang.support.infrastructure.things.kinds import Thing as Declared
from haitang.support.infrastructure.things.models import Thing, ThingLocation
from haitang.support.infrastructure.things.queries import all_admitted, by_mn
from haitang.support.infrastructure.things.seed import seed
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding

pytestmark = pytest.mark.django_db

DEVICE = Device(title="空气站", hj212=Hj212(system=22), observes={"pm2_5": Observed(title="细颗粒物", unit="ug/m3", hj212="a34004")})
DECLARED = Declared(
    title="一号站",
    device="air_station",
    organization="ecology",
    division="500111001",
    longitude=105.7,
    latitude=29.7,
    mn="M1",
    origin="replay",
)


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    roles = {"keeper": Role(title="设备管理员", may=["thing.read", "things.*"]), "reader": Role(title="读者", may=["thing.read"])}
    put_in_force(Declarations("r1", {"device": {"air_station": DEVICE}, "thing": {"a1": DECLARED}, "role": roles}))
    yield
    put_in_force(Declarations("", {}))


def provisional(mn: str = "NEW/1") -> Thing:
    with acting(system("hj212")) as act:
        return actions.admit_provisionally(act=act, mn=mn, device="air_station", address="10.0.0.9")


def signed_in(role: str) -> Client:
    who = Person.objects.create(username=role, name=role)
    RoleHolding.objects.create(person=who, role=role)
    client = Client()
    client.force_login(who)
    return client


def test_a_place_seeds_its_things_once_and_the_table_rules_afterwards() -> None:
    for _ in range(2):
        with acting(system("setup")) as act:
            seed(act=act)
        Thing.objects.filter(pk="a1").update(title="改过的名称")
    found = Thing.objects.get(pk="a1")
    assert (found.title, found.origin, found.status, found.mn) == ("改过的名称", "replay", "admitted", "M1")
    assert ThingLocation.objects.filter(thing=found).count() == 1
    assert EvidenceRecord.objects.filter(action="things.seed", subject_id="a1").count() == 1


def test_an_unknown_station_is_provisional_until_a_person_decides() -> None:
    found = provisional()
    assert (found.status, found.id.startswith("hj212_NEW_1_")) == ("provisional", True)
    assert provisional().id == found.id
    client = signed_in("keeper")
    assert "待确认" in client.get("/things").content.decode()
    told = {"device": "air_station", "title": "新站", "longitude": "105.75", "latitude": "29.6", "sm4_key": "0123456789abcdef"}
    assert client.post(f"/things/{found.id}/admit", told).status_code == 302
    found.refresh_from_db()
    assert (found.status, found.title, found.longitude, found.sm4_key) == ("admitted", "新站", 105.75, "0123456789abcdef")
    record = EvidenceRecord.objects.get(action="things.admit")
    assert "0123456789abcdef" not in str(record.facts), "a credential never enters the ledger in the clear"
    assert "新站" in client.get(f"/things/{found.id}").content.decode()


def test_a_refused_station_is_no_longer_listened_to() -> None:
    found = provisional("M9")
    assert signed_in("keeper").post(f"/things/{found.id}/refuse", {"reason": "不属本区"}).status_code == 302
    refused = by_mn("M9")
    assert refused is not None
    assert refused.status == "retired"
    assert refused not in all_admitted()


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"device": "air_station", "longitude": "east"}, 400),
        ({"device": "boat"}, 400),
        ({"device": "air_station", "sm4_key": "short"}, 400),
        ({"device": "air_station", "address": "here"}, 400),
    ],
)
def test_bad_input_is_told_and_changes_nothing(told: dict[str, str], status: int) -> None:
    found = provisional()
    assert signed_in("keeper").post(f"/things/{found.id}/admit", told).status_code == status
    found.refresh_from_db()
    assert found.status == "provisional"


def test_only_those_who_may_decide() -> None:
    found = provisional()
    client = signed_in("reader")
    assert client.get("/things").status_code == 200
    assert client.post(f"/things/{found.id}/admit", {"device": "air_station"}).status_code == 403
    assert Client().post(f"/things/{found.id}/admit", {"device": "air_station"}).status_code == 401


def test_a_number_belongs_to_one_thing() -> None:
    Thing.objects.create(id="other", title="x", mn="M1")
    with pytest.raises(HaitangError, match="M1"), acting(system("setup")) as act:
        seed(act=act)


def test_a_credential_is_replaced_and_never_shown_again() -> None:
    Thing.objects.create(id="a9", title="九号站", mn="M9", status=Thing.ADMITTED, password="old")
    keeper, reader = signed_in("keeper"), signed_in("reader")
    told = {"password": "pw-of-nine", "sm4_key": "0123456789abcdef", "address": "10.1.0.0/16"}
    assert reader.post("/things/a9/credential", told).status_code == 403
    assert keeper.post("/things/a9/credential", {**told, "address": "here"}).status_code == 400
    assert Thing.objects.get(pk="a9").password == "old"
    assert keeper.post("/things/a9/credential", told).status_code == 302
    found = Thing.objects.get(pk="a9")
    assert (found.password, found.sm4_key, found.address) == tuple(told.values())
    shown = keeper.get("/things/a9").content.decode()
    recorded = str(EvidenceRecord.objects.get(action="things.set_credential").facts)
    assert 'action="/things/a9/credential"' in shown
    assert 'action="/things/a9/credential"' not in reader.get("/things/a9").content.decode()
    assert not [secret for secret in ("pw-of-nine", "0123456789abcdef") if secret in shown + recorded]


def test_the_origin_of_data_is_stated_with_evidence() -> None:
    Thing.objects.create(id="a9", title="九号站", mn="M9", status=Thing.ADMITTED)
    keeper = signed_in("keeper")
    assert keeper.post("/things/a9/origin", {"origin": "guessed"}).status_code == 400
    assert keeper.post("/things/a9/origin", {"origin": "replay"}).status_code == 302
    assert Thing.objects.get(pk="a9").origin == "replay"
    assert EvidenceRecord.objects.get(action="things.set_origin").facts == {"origin_before": "live", "origin": "replay"}


def test_a_device_that_comes_by_mqtt_or_http_is_taken_in_on_a_page_and_confirmed_there() -> None:
    keeper, reader = signed_in("keeper"), signed_in("reader")
    told = {"id": "meter-7", "device": "air_station", "title": "七号站"}
    assert reader.post("/things/register", told).status_code == 403
    assert keeper.post("/things/register", {**told, "id": "groups"}).status_code == 400
    answer = keeper.post("/things/register", told)
    assert (answer.status_code, answer["Location"]) == (302, "/things/meter-7/credentials")
    assert keeper.post("/things/register", told).status_code == 409
    assert keeper.post("/things/meter-7/credentials/issue", {}).status_code == 200
    shown = keeper.get("/things/meter-7").content.decode()
    assert ("确认接入" in shown, "SM4" in shown) == (True, False)
    assert keeper.post("/things/meter-7/admit", {"device": "air_station", "title": "七号站"}).status_code == 302
    assert Thing.objects.get(pk="meter-7").status == "admitted"


def test_who_knocks_without_a_credential_is_told_of(tmp_path: Path) -> None:
    knock = {"address": "10.0.0.7", "count": 3, "last": "2026-03-01T08:00:00+08:00"}
    (tmp_path / "mqtt.json").write_text(json.dumps({"counters": {}, "knocking": {"meter-7": knock}}))
    (tmp_path / "http.json").write_text("not yet whole")
    assert listening.strangers(tmp_path) == [{"name": "meter-7", "way": "MQTT", **knock}]
