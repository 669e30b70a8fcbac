"""Commands to devices: only what the type declares, visible in every state, with evidence."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.errors import HaitangError
from haitang.base.ids import new_id
from haitang.support.infrastructure.commands import actions, protocols, queries
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.commands.tasks import expire
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


def waiting(thing: str) -> list[DeviceCommand]:
    return list(queries.unacknowledged("mqtt", [thing]))


def noted(command: DeviceCommand, state: str, **facts: object) -> bool:
    with acting(system("listeners")) as act:
        return actions.note(act=act, command=command, state=state, **facts)


def test_what_was_not_taken_in_its_time_or_was_withdrawn_is_not_sent(pump: Thing) -> None:
    first, second = commanded(pump), commanded(pump, "stop")
    assert waiting("p1") == [first, second]
    with acting(system("operator")) as act:
        actions.withdraw(act=act, command=first)
    assert waiting("p1") == [second]
    assert not noted(first, "sent"), "who was about to send it hears that it was withdrawn"
    with clock.frozen(clock.now() + timedelta(days=2)):
        assert waiting("p1") == []
        expire(0)
    second.refresh_from_db()
    assert (second.state, second.ended_at is not None) == ("expired", True)


def test_what_was_sent_is_sent_again_until_it_is_acknowledged_unless_nobody_acknowledges(pump: Thing) -> None:
    asked, told = commanded(pump), commanded(pump, "stop")
    noted(asked, "sent")
    noted(told, "sent", confirms=False)
    assert waiting("p1") == [asked]
    noted(asked, "acknowledged")
    assert waiting("p1") == []


def test_a_command_that_was_sent_and_never_heard_of_expires_a_little_later(pump: Thing) -> None:
    made = commanded(pump)
    with clock.frozen(made.expires_at - timedelta(seconds=5)):
        noted(made, "sent")
    with clock.frozen(made.expires_at + timedelta(minutes=1)):
        expire(0)
    made.refresh_from_db()
    assert made.state == "sent"
    with clock.frozen(made.expires_at + timedelta(minutes=6)):
        expire(0)
    made.refresh_from_db()
    assert made.state == "expired"


def test_the_last_word_of_a_device_counts_and_each_step_is_evidence(pump: Thing) -> None:
    made = commanded(pump, speed=5)
    for state in ("sent", "acknowledged", "acknowledged"):
        assert noted(made, state)
    noted(made, "failed", answer='{"ok": false}')
    found = DeviceCommand.objects.get()
    assert (found.state, found.acknowledged_at is not None, found.answer) == ("failed", True, '{"ok": false}')
    assert not noted(made, "acknowledged"), "what has ended does not begin again"
    noted(made, "done", answer='{"ok": true}')
    assert DeviceCommand.objects.get().state == "done"
    assert EvidenceRecord.objects.filter(action__in=["things.command", "things.note_command"]).count() == 7
    with pytest.raises(HaitangError), acting(system("operator")) as act:
        actions.withdraw(act=act, command=found)


def test_a_station_is_asked_the_same_only_once_at_a_time(pump: Thing) -> None:
    station = Thing.objects.create(id="s1", title="站", device="pump", mn="M1")
    assert {offer.name for _, offer in protocols.offers(station)} >= {"start", "stop", "1061", "2061"}
    made = commanded(station, "1061")
    assert made.protocol == "hj212"
    with pytest.raises(HaitangError) as refused:
        commanded(station, "1061")
    assert refused.value.code == "commands.already_open"
    assert queries.waiting("hj212", ["s1"]).get() == made
    with pytest.raises(HaitangError) as unknown:
        commanded(pump, "1061")
    assert unknown.value.code == "commands.unknown"


def test_the_page_gives_and_withdraws_commands_to_who_may(pump: Thing) -> None:
    keeper, reader = signed_in("keeper"), signed_in("reader")
    assert reader.post("/things/p1/commands/new", {"name": "start"}).status_code == 403
    assert keeper.post("/things/p1/commands/new", {"name": "start", "v.speed": "1.5"}).status_code == 302
    made = DeviceCommand.objects.get()
    assert (made.name, made.parameters, made.state) == ("start", {"speed": 1.5}, "queued")
    noted(commanded(pump, "stop"), "done", answer='{"ok": true, "items": 3}')
    assert all(text in keeper.get("/things/p1/commands").content.decode() for text in ("启动", "items=3"))
    assert "/commands/new" not in reader.get("/things/p1/commands").content.decode()
    keeper.post(f"/things/p1/commands/{made.pk}/withdraw")
    assert DeviceCommand.objects.get(pk=made.pk).state == "withdrawn"
    assert keeper.post("/things/p1/commands/no-such/withdraw").status_code == 404


def test_the_page_keeps_what_was_typed_when_it_is_refused(db: None) -> None:
    Thing.objects.create(id="s1", title="站", device="pump", mn="M1")
    answer = signed_in("keeper").post("/things/s1/commands/new", {"name": "1062", "v.RtdInterval": "7"})
    assert answer.status_code == 400
    assert 'value="7"' in answer.content.decode()
    assert "应为 30 到 3600 的整数" in answer.content.decode()


def test_the_api_offers_gives_tells_and_withdraws(pump: Thing) -> None:
    keeper, reader = signed_in("keeper"), signed_in("reader")
    offered = reader.get("/api/things/p1/commands/offered").json()
    assert [(each["protocol"], each["name"], [f["name"] for f in each["fields"]]) for each in offered] == [
        ("mqtt", "start", ["speed"]),
        ("mqtt", "stop", []),
    ]
    body = {"name": "start", "parameters": {"speed": 2}, "valid_for": 60}
    assert reader.post("/api/things/p1/commands", body, "application/json").status_code == 403
    made = keeper.post("/api/things/p1/commands", body, "application/json")
    assert (made.status_code, made.json()["state"], made.json()["parameters"]) == (201, "queued", {"speed": 2})
    one = f"/api/things/p1/commands/{made.json()['id']}"
    assert reader.get(one).json() == reader.get("/api/things/p1/commands").json()[0]
    assert keeper.post(f"{one}/withdraw").json()["state"] == "withdrawn"
    assert keeper.post(f"{one}/withdraw").status_code == 409
    assert keeper.post("/api/things/p1/commands", {"name": "explode"}, "application/json").status_code == 400


@pytest.mark.django_db(transaction=True)
def test_commands_of_before_move_into_the_one_table(pump: Thing) -> None:
    """As they were in the two tables, queued ones still to be sent."""
    executor = MigrationExecutor(connection)
    executor.migrate([("commands", "0001_initial"), ("hj212", "0001_initial")])
    before = executor.loader.project_state([("commands", "0001_initial"), ("hj212", "0001_initial")]).apps
    at = clock.now()
    times = {"asked_at": at, "expires_at": at + timedelta(days=1), "changed_at": at, "asked_by": "staff:1"}
    old = before.get_model("hj212", "StationCommand").objects
    waits = old.create(id=new_id(), thing_id="p1", cn="2061", values={"BeginTime": "20260101000000"}, **times)
    for number, (state, reason) in enumerate(
        [("refused", "PW 错误"), ("timed_out", "监测站一直没有连接"), ("timed_out", "监测站没有应答"), ("executing", "")]
    ):
        old.create(id=new_id(), thing_id="p1", cn=f"301{number}", state=state, reason=reason, tries=1, told={"a": "1"}, **times)
    before.get_model("commands", "DeviceCommand").objects.create(
        id=new_id(), thing_id="p1", name="start", state="delivered", delivered_at=at, issued_at=at, issued_by="staff:1", expires_at=at
    )
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    found = {each.name: (each.protocol, each.state) for each in DeviceCommand.objects.all()}
    assert found == {
        "start": ("mqtt", "acknowledged"), "2061": ("hj212", "queued"), "3010": ("hj212", "failed"), "3011": ("hj212", "expired"),
        "3012": ("hj212", "failed"), "3013": ("hj212", "acknowledged"),
    }  # fmt: skip
    assert queries.waiting("hj212", ["p1"]).get().pk == waits.pk


def test_a_device_answers_for_its_own_commands_only(pump: Thing) -> None:
    made = commanded(pump)
    assert queries.find("p1", str(made.pk)) == made
    assert queries.find("p2", str(made.pk)) is None
    assert queries.find("p1", "no id") is None
