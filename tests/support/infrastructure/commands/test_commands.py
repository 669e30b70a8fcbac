"""Commands to devices: only what the type declares, visible in every state, with evidence."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.commands import actions, queries
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.kinds import Command, Device
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding

pytestmark = pytest.mark.django_db
PUMP = Device(
    title="泵", observes={}, commands={"start": Command(title="启动", parameters={"speed": "转速"}), "stop": Command(title="停止")}
)


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    roles = {"keeper": Role(title="设备管理员", may=["thing.read", "things.*"]), "reader": Role(title="读者", may=["thing.read"])}
    put_in_force(Declarations("r1", {"device": {"pump": PUMP}, "role": roles}))
    yield
    put_in_force(Declarations("", {}))


@pytest.fixture
def pump() -> Thing:
    return Thing.objects.create(id="p1", title="一号泵", device="pump")


def commanded(thing: Thing, name: str = "start", **parameters: object) -> DeviceCommand:
    with acting(system("operator")) as act:
        return actions.command(act=act, thing=thing, name=name, parameters=parameters)


def signed_in(role: str) -> Client:
    who = Person.objects.create(username=role, name=role)
    RoleHolding.objects.create(person=who, role=role)
    client = Client()
    client.force_login(who)
    return client


def test_only_what_the_type_declares_can_be_asked_of_a_device_in_service(pump: Thing) -> None:
    for name, parameters in (("explode", {}), ("stop", {"speed": 1})):
        with pytest.raises(HaitangError):
            commanded(pump, name, **parameters)
    pump.status = Thing.RETIRED
    with pytest.raises(HaitangError) as refused:
        commanded(pump)
    assert refused.value.code == "commands.retired"
    assert not DeviceCommand.objects.exists()


def test_what_has_expired_or_was_withdrawn_is_not_delivered(pump: Thing) -> None:
    first, second = commanded(pump), commanded(pump, "stop")
    assert list(queries.waiting(["p1"])) == [first, second]
    with acting(system("operator")) as act:
        actions.withdraw(act=act, command=first)
    assert list(queries.waiting(["p1"])) == [second]
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert not queries.waiting(["p1"]).exists()
        assert second.expired(clock.now())


def test_the_last_word_of_a_device_counts_and_each_step_is_evidence(pump: Thing) -> None:
    made = commanded(pump, speed=5)
    for step in (actions.told, actions.told):
        with acting(system("listeners")) as act:
            step(act=act, command=made, taken=True)
    with acting(system("listeners")) as act:
        actions.answered(act=act, command=made, ok=False, answer='{"ok": false}')
    found = DeviceCommand.objects.get()
    assert (found.state, found.delivered_at is not None, found.answer) == ("failed", True, '{"ok": false}')
    assert EvidenceRecord.objects.filter(action__startswith="things.command").count() == 4
    with pytest.raises(HaitangError), acting(system("operator")) as act:
        actions.withdraw(act=act, command=found)


def test_the_page_gives_and_withdraws_commands_to_who_may(pump: Thing) -> None:
    keeper, reader = signed_in("keeper"), signed_in("reader")
    assert reader.post("/things/p1/commands/new", {"name": "start"}).status_code == 403
    assert keeper.post("/things/p1/commands/new", {"name": "start", "start.speed": "1.5"}).status_code == 302
    made = DeviceCommand.objects.get()
    assert (made.name, made.parameters, made.state) == ("start", {"speed": 1.5}, "queued")
    assert "启动" in keeper.get("/things/p1/commands").content.decode()
    assert "/commands/new" not in reader.get("/things/p1/commands").content.decode()
    keeper.post(f"/things/p1/commands/{made.pk}/withdraw")
    assert DeviceCommand.objects.get().state == "withdrawn"
    assert keeper.post("/things/p1/commands/no-such/withdraw").status_code == 404


def test_a_device_answers_for_its_own_commands_only(pump: Thing) -> None:
    made = commanded(pump)
    assert queries.find("p1", str(made.pk)) == made
    assert queries.find("p2", str(made.pk)) is None
    assert queries.find("p1", "no id") is None
