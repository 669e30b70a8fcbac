"""Maintenance of a thing: noted by a person who may, seen on its page and in the list, ended early, with evidence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.support.infrastructure.things.actions import end_maintenance, plan_maintenance
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing
from haitang.support.infrastructure.things.queries import maintained, maintained_until
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person, RoleHolding

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TOLD = {"starts_at": "2026-03-02T09:00", "ends_at": "2026-03-02T11:00", "reason": "更换采样管"}


@pytest.fixture(autouse=True)
def thing() -> Iterator[Thing]:
    roles = {"keeper": Role(title="设备管理员", may=["thing.read", "things.*"]), "reader": Role(title="读者", may=["thing.read"])}
    put_in_force(Declarations("r1", {"role": roles}))
    yield Thing.objects.create(id="a1", title="一号站")
    put_in_force(Declarations("", {}))


def signed_in(role: str) -> Client:
    who = Person.objects.create(username=role, name=role)
    RoleHolding.objects.create(person=who, role=role)
    client = Client()
    client.force_login(who)
    return client


def test_a_window_is_noted_and_seen_on_page_and_list_while_it_runs() -> None:
    keeper = signed_in("keeper")
    Thing.objects.create(id="a2", title="二号站")
    assert keeper.post("/things/a1/maintenance", {**TOLD, "ends_at": f"{clock.now() + HOUR + timedelta(hours=8):%Y-%m-%dT%H:%M}",
                                                  "starts_at": f"{clock.now() + timedelta(hours=7):%Y-%m-%dT%H:%M}"}).status_code == 302  # fmt: skip
    assert maintained() == {"a1"}
    listed = keeper.get("/things?status=maintained").content.decode()
    assert ("一号站" in listed, "二号站" in listed) == (True, False)
    assert "现在结束" in keeper.get("/things/a1").content.decode()
    window = MaintenanceWindow.objects.get()
    assert keeper.post(f"/things/a2/maintenance/{window.pk}/end").status_code == 404
    assert keeper.post(f"/things/a1/maintenance/{window.pk}/end").status_code == 302
    assert maintained() == set()
    assert keeper.post(f"/things/a1/maintenance/{window.pk}/end").status_code == 409
    records = EvidenceRecord.objects.filter(subject_id="a1", action__endswith="_maintenance")
    assert [r.action for r in records.order_by("id")] == ["things.plan_maintenance", "things.end_maintenance"]
    assert "更换采样管" not in str([r.facts for r in records])


@pytest.mark.parametrize("wrong", [{"ends_at": "2026-03-02T08:00"}, {"ends_at": "soon"}, {"reason": " "}, {"ends_at": "2999-04-03T09:00"}])
def test_a_wrong_window_is_told_beside_the_form_which_keeps_what_was_typed(wrong: dict[str, str]) -> None:
    future = {"starts_at": "2999-03-02T09:00", "ends_at": "2999-03-02T11:00", "reason": "更换采样管"}
    answer = signed_in("keeper").post("/things/a1/maintenance", {**future, **wrong})
    assert answer.status_code == 400
    assert 'id="maintenance-why"' in answer.content.decode()
    assert 'value="2999-03-02T09:00"' in answer.content.decode()
    assert not MaintenanceWindow.objects.exists()


def test_who_only_reads_notes_no_maintenance() -> None:
    reader = signed_in("reader")
    assert reader.post("/things/a1/maintenance", TOLD).status_code == 403
    assert 'action="/things/a1/maintenance"' not in reader.get("/things/a1").content.decode()


def test_a_window_counts_from_its_start_to_its_end_and_not_when_it_was_cancelled(thing: Thing) -> None:
    with acting(system("setup"), at=NINE) as act:
        later = plan_maintenance(act=act, thing=thing, starts_at=NINE + 3 * HOUR, ends_at=NINE + 4 * HOUR, reason="校准")
        plan_maintenance(act=act, thing=thing, starts_at=NINE, ends_at=NINE + HOUR, reason="停电")
        end_maintenance(act=act, window=later)
    assert [maintained(NINE + hours * HOUR) for hours in (-1, 0, 1, 3)] == [set(), {"a1"}, set(), set()]
    assert maintained_until(NINE + 5 * HOUR) == {"a1": NINE + HOUR}
    later.refresh_from_db()
    assert later.state(NINE + 5 * HOUR) == "cancelled"
