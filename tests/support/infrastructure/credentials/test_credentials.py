"""Device credentials: shown once, kept as a digest, rotated with overlap, revoked with evidence."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.credentials import actions, queries, secrets
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.things.actions import register_provisionally
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    roles = {"keeper": Role(title="设备管理员", may=["thing.read", "things.*"]), "reader": Role(title="读者", may=["thing.read"])}
    put_in_force(Declarations("r1", {"role": roles}))
    yield
    put_in_force(Declarations("", {}))


@pytest.fixture
def thing() -> Thing:
    return Thing.objects.create(id="noise_1", title="噪声一号")


def issued(thing: Thing, **more: object) -> actions.Issued:
    with acting(system("operator")) as act:
        return actions.issue(act=act, thing=thing, **more)  # type: ignore[arg-type]


def used(credential: DeviceCredential) -> None:
    for each in actions.note_uses({credential.identifier: (clock.now(), "10.0.0.5")}):
        with acting(system("listeners")) as act:
            actions.finish_rotation(act=act, credential=each)


def signed_in(role: str) -> Client:
    who = Person.objects.create(username=role, name=role)
    RoleHolding.objects.create(person=who, role=role)
    client = Client()
    client.force_login(who)
    return client


def test_the_secret_is_kept_nowhere_but_its_digest_matches_it_alone(thing: Thing) -> None:
    made = issued(thing)
    kept = DeviceCredential.objects.get()
    assert len(made.secret) == 43
    assert made.secret not in str(kept.__dict__)
    assert made.secret not in str(list(EvidenceRecord.objects.values_list("facts", flat=True)))
    assert secrets.matches(kept.salt, kept.digest, made.secret)
    assert not any(secrets.matches(kept.salt, kept.digest, wrong) for wrong in ("", made.secret[:-1], made.secret + "x", "y" * 10_000_000))


def test_the_old_credential_holds_until_the_new_one_is_used(thing: Thing) -> None:
    old = issued(thing).credential
    with acting(system("operator")) as act:
        new = actions.rotate(act=act, credential=old).credential
    assert {c.identifier for c in queries.current()} == {old.identifier, new.identifier}
    used(old)
    assert queries.current().count() == 2
    used(new)
    assert [c.identifier for c in queries.current()] == [new.identifier]
    assert queries.get(thing, old.identifier).end_reason == "rotated"
    used(new)
    assert EvidenceRecord.objects.filter(action="things.finish_rotation").count() == 1


def test_the_old_credential_ends_on_its_date_where_the_new_one_is_never_used(thing: Thing) -> None:
    old = issued(thing).credential
    with acting(system("operator")) as act:
        actions.rotate(act=act, credential=old, until=clock.now() + timedelta(days=7))
    with clock.frozen(clock.now() + timedelta(days=8)):
        assert old.identifier not in {c.identifier for c in queries.current()}


def test_a_revoked_credential_and_those_of_a_retired_thing_let_nobody_in(thing: Thing) -> None:
    first, second = issued(thing).credential, issued(thing).credential
    with acting(system("operator")) as act:
        actions.revoke(act=act, credential=first, reason="密钥外泄")
    assert [c.identifier for c in queries.current()] == [second.identifier]
    Thing.objects.update(status=Thing.RETIRED)
    assert not queries.current().exists()
    with pytest.raises(HaitangError) as refused, acting(system("operator")) as act:
        actions.rotate(act=act, credential=first)
    assert refused.value.code == "credentials.ended"


def test_a_process_that_is_not_named_may_not_issue(thing: Thing) -> None:
    with pytest.raises(HaitangError) as refused, acting(system("listeners")) as act:
        actions.issue(act=act, thing=thing)
    assert refused.value.status == 403


def test_the_page_shows_the_secret_once_and_only_to_who_may_issue(thing: Thing) -> None:
    keeper, reader = signed_in("keeper"), signed_in("reader")
    assert reader.post("/things/noise_1/credentials/issue", {"label": "网关"}).status_code == 403
    shown = keeper.post("/things/noise_1/credentials/issue", {"label": "网关", "until": "2099-12-31"})
    made = DeviceCredential.objects.get()
    assert made.identifier in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    listed = reader.get("/things/noise_1/credentials").content.decode()
    assert made.identifier in listed
    assert "things/noise_1/credentials/issue" not in listed


def test_the_page_rotates_and_revokes(thing: Thing) -> None:
    keeper, old = signed_in("keeper"), issued(thing).credential
    keeper.post(f"/things/noise_1/credentials/{old.identifier}/rotate")
    new = DeviceCredential.objects.get(replaces=old)
    assert keeper.post(f"/things/noise_1/credentials/{new.identifier}/revoke", {"reason": ""}).status_code == 400
    keeper.post(f"/things/noise_1/credentials/{new.identifier}/revoke", {"reason": "误签"})
    assert [c.identifier for c in queries.current()] == [old.identifier]


def test_a_device_that_nobody_registered_is_taken_in_provisionally(declared: None) -> None:
    put_in_force(Declarations("r2", {"device": {"noise_meter": Device(title="噪声仪", observes={})}}))
    with acting(system("operator")) as act:
        made = register_provisionally(act=act, id="new-1", device="noise_meter")
        credential = actions.issue(act=act, thing=made).credential
    assert (made.status, made.origin) == ("provisional", "live")
    assert [c.identifier for c in queries.current()] == [credential.identifier]
    for id in ("new-1", "replay_x", "a/b", ""):
        with pytest.raises(HaitangError), acting(system("operator")) as act:
            register_provisionally(act=act, id=id, device="noise_meter")
