"""Groups of things: declared or made on a page; maintenance, credentials and responsibility for all of them at once."""

import csv
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.credentials.actions import issue
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.groups import actions
from haitang.support.infrastructure.groups.seed import seed
from haitang.support.infrastructure.things.kinds import Device
from haitang.support.infrastructure.things.kinds import Thing as Declared
from haitang.support.infrastructure.things.kinds import ThingGroup as DeclaredGroup
from haitang.support.infrastructure.things.models import Membership, Thing, ThingGroup
from haitang.support.infrastructure.things.queries import maintained
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Organization as DeclaredOrganization
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person, RoleHolding
from tests.support.infrastructure.things.test_maintenance import signed_in

pytestmark = pytest.mark.django_db


def thing(**more: object) -> Declared:
    told = {
        "title": "站",
        "device": "station",
        "organization": "ecology",
        "division": "500111001",
        "longitude": 105.7,
        "latitude": 29.7,
        **more,
    }
    return Declared.model_validate(told)


@pytest.fixture(autouse=True)
def declared() -> Iterator[Declarations]:
    roles = {
        "keeper": Role(title="设备管理员", may=["thing.read", "things.*"]),
        "own_keeper": Role(title="本单位设备管理员", may=["thing.read@own", "things.plan_group_maintenance@own"]),
    }
    units = {id: DeclaredOrganization(title=id) for id in ("ecology", "water")}
    found = Declarations("r1", {
        "role": roles, "organization": units, "device": {"station": Device(title="站", observes={})},
        "thing_group": {"river": DeclaredGroup(title="沿河站点", organization="ecology")},
        "thing": {"a1": thing(groups=["river"]), "a2": thing(groups=["river"]), "a3": thing()},
    })  # fmt: skip
    put_in_force(found)
    for id in units:
        Organization.objects.create(pk=id, title=id)
    with acting(system("setup")) as act:
        seed(act=act)
    yield found
    put_in_force(Declarations("", {}))


def river() -> ThingGroup:
    return ThingGroup.objects.get(pk="river")


def inside() -> list[str]:
    return [each.id for each in actions.members(river())]


def test_the_folder_makes_groups_and_does_not_bring_back_who_was_taken_out() -> None:
    assert inside() == ["a1", "a2"]
    with acting(system("operator")) as act:
        actions.set_members(act=act, group=river(), add=["a3"], remove=["a1"])
    with acting(system("setup")) as act:
        assert seed(act=act) == 0
    assert inside() == ["a2", "a3"]
    assert Membership.objects.filter(thing="a1", until__isnull=False).exists(), "that it was there stays known"


def test_a_thing_may_be_in_several_groups_and_a_group_is_made_on_its_page() -> None:
    keeper = signed_in("keeper")
    assert keeper.post("/things/groups/new", {"id": "Bad Id", "title": "x"}).status_code == 400
    assert keeper.post("/things/groups/new", {"id": "river", "title": "x"}).status_code == 409
    assert keeper.post("/things/groups/new", {"id": "contract_1", "title": "运维一标"}).status_code == 302
    assert keeper.post("/things/groups/contract_1/do/members", {"add": "a1, a3"}).status_code == 302
    assert keeper.post("/things/groups/contract_1/do/members", {"add": "nowhere"}).status_code == 400
    shown = keeper.get("/things/a1").content.decode()
    assert ("沿河站点" in shown, "运维一标" in shown) == (True, True)
    listed = keeper.get("/things?group=contract_1&column=id").content.decode()
    assert [f"<code>{id}</code>" in listed for id in ("a1", "a2", "a3")] == [True, False, True]


def test_maintenance_of_a_group_holds_for_each_of_its_things_and_ends_at_once() -> None:
    keeper, now = signed_in("keeper"), clock.now().astimezone(clock.CHINA)
    told = {"starts_at": f"{now:%Y-%m-%dT%H:%M}", "ends_at": f"{now + timedelta(days=366):%Y-%m-%dT%H:%M}", "reason": "检修"}
    refused = keeper.post("/things/groups/river/do/maintain", told)
    assert (refused.status_code, told["reason"] in refused.content.decode()) == (400, True)
    assert not maintained()
    told["ends_at"] = f"{now + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    assert keeper.post("/things/groups/river/do/maintain", told).status_code == 302
    assert maintained() == {"a1", "a2"}
    assert EvidenceRecord.objects.get(action="things.plan_group_maintenance").facts["things"] == ["a1", "a2"]
    assert keeper.post("/things/groups/river/do/end-maintenance").status_code == 302
    assert maintained() == set()
    assert keeper.post("/things/groups/river/do/end-maintenance").status_code == 409


def test_credentials_of_a_group_rotate_together_and_are_told_once() -> None:
    with acting(system("operator")) as act:
        old = {id: issue(act=act, thing=Thing.objects.get(pk=id)).credential.identifier for id in ("a1", "a2", "a3")}
    keeper = signed_in("keeper")
    answer = keeper.post("/things/groups/river/credentials")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["thing"], row["replaces"]) for row in rows] == [("a1", old["a1"]), ("a2", old["a2"])]
    assert "no-store" in answer["Cache-Control"]
    assert not [row for row in rows if row["secret"] in str(list(EvidenceRecord.objects.values_list("facts", flat=True)))]
    again = list(csv.DictReader(io.StringIO(keeper.post("/things/groups/river/credentials").content.decode("utf-8-sig"))))
    assert len(again) == 2, "a rotation that was lost is begun anew, of the newest secrets only"
    assert DeviceCredential.objects.filter(thing="a1").count() == 3


def test_a_group_goes_over_to_another_organization() -> None:
    with acting(system("operator")) as act:
        assert actions.reassign(act=act, group=river(), organization="water", reason="职能划转") == 2
    assert set(Thing.objects.filter(organization_id="water").values_list("pk", flat=True)) == {"a1", "a2"}
    with pytest.raises(HaitangError), acting(system("operator")) as act:
        actions.reassign(act=act, group=river(), organization="nobody", reason="x")


@pytest.mark.parametrize(("organization", "status"), [("ecology", 400), ("water", 403)])
def test_who_may_for_their_own_organization_reaches_its_groups_only(organization: str, status: int) -> None:
    """400: through the door, and refused for its content."""
    who = Person.objects.create(username="own", name="own", organization_id=organization)
    RoleHolding.objects.create(person=who, role="own_keeper")
    from django.test import Client

    client = Client()
    client.force_login(who)
    assert client.post("/things/groups/river/do/maintain", {}).status_code == status
