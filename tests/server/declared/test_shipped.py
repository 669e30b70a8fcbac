"""What ships loads, passes its own spec tables, and can go in force."""

import pytest

from haitang.base.actions import acting, system
from haitang.base.declarations.release import load_in_force
from haitang.hub.business.places.kinds import Division, Place
from haitang.server import release
from haitang.server.declared import check
from haitang.server.discovery import load_kinds

load_kinds()


def test_rooms_applications_and_the_default_place_have_no_errors() -> None:
    checked = check()
    assert [str(problem) for problem in checked.errors] == []
    assert checked.tables > 0


@pytest.mark.django_db
def test_they_go_in_force_and_come_back_from_the_database() -> None:
    with acting(system("setup")) as act:
        admission = release.apply(act)
    found = load_in_force()
    assert found.digest == admission.release_id
    assert found.one(Place).title
    assert len(found.all(Division)) > 10
