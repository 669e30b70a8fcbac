"""A policy about an organization and those under it follows the organizations as they stand now, and not as the files once said."""

from pathlib import Path

import pytest

from haitang.base.actions import Actor, acting, may, permission, system
from haitang.base.declarations import put_in_force
from haitang.server import release
from haitang.support.security.people.kinds import Organization as Declared
from haitang.support.security.people.models import Organization
from haitang.support.security.people.organizations.actions import change_organization
from haitang.support.security.people.queries import filling
from haitang.support.security.policy.decide import rows
from haitang.support.security.policy.engine import Engine, engine
from haitang.support.security.policy.entities import Subject

pytestmark = pytest.mark.django_db
permission("case.read", "查看案件")

BELOW = """//---
// title: 上级机构看下级机构的案件
//---
permit (principal in Role::"inspector", action == Action::"case.read", resource)
when { principal has organization && resource has organization && resource.organization in principal.organization };
"""


@pytest.fixture(autouse=True)
def current(folders: Path) -> None:
    (folders / "air/policies").mkdir()
    (folders / "air/policies/below.cedar").write_text(BELOW, "utf-8")
    release.current.__init__(look_every=0)  # type: ignore[misc]
    put_in_force(release.current)
    with acting(system("operator")) as act:
        release.apply(act)


def reads(organization: str, of: str) -> tuple[bool, bool]:
    """(decided, listed): the same by both ways."""
    who = Actor("staff", "1", "某人", organization, frozenset({"inspector"}))
    case = Subject("case:1", "case", organization=of)
    return may(who, "case.read", case), rows(who, "case.read").holds(case)


def move(id: str, parent: str) -> None:
    found = Organization.objects.get(pk=id)
    with acting(system("operator")) as act:
        change_organization(act=act, organization=found, title=found.title, parent=parent)


def test_a_policy_about_those_below_follows_a_reorganization() -> None:
    assert (reads("government", "bureau"), reads("bureau", "government")) == ((True, True), (False, False))
    move("bureau", "")
    move("government", "bureau")
    assert (reads("government", "bureau"), reads("bureau", "government")) == ((False, False), (True, True))


def test_an_organization_that_only_the_table_knows_stands_where_it_says() -> None:
    Organization.objects.create(id="station", title="监测站", parent_id="bureau")
    assert reads("government", "station") == (True, True)


def test_what_is_compared_or_tried_on_files_knows_only_the_files() -> None:
    move("bureau", "")
    assert engine().within("government") == ["government"]
    from haitang.server.declared import load, owners_with

    assert Engine(load(owners_with(None)).partial).within("government") == ["government", "bureau"]


def test_who_provides_data_is_who_fills_the_role_in_the_table() -> None:
    for id in ("annex", "station"):
        Organization.objects.create(id=id, title=id, fills=["laboratory"], parent_id="bureau")
    found = filling("laboratory")
    assert found is not None
    assert (engine().filling("laboratory"), found.pk) == ("annex", "annex")
    Organization.objects.filter(pk="annex").update(active=False)
    assert engine().filling("laboratory") == "station"
    assert engine().filling("no_such_role") is None


def test_a_role_is_filled_as_the_table_says_and_no_longer_as_the_files() -> None:
    role, id = next((role, id) for id, each in release.current().all(Declared).items() for role in each.fills)
    assert engine().filling(role) == id
    Organization.objects.filter(pk=id).update(fills=[])
    assert engine().filling(role) is None
