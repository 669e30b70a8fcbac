"""Where a thing stands: changed by a person with a reason, normalized, kept; what it observed stays where it stood."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations, put_in_force
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.things.actions import Point, relocate
from haitang.support.infrastructure.things.models import Thing, ThingLocation
from haitang.support.infrastructure.things.queries import locations_at, locations_of
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.kinds import Role
from tests.support.infrastructure.things.test_maintenance import signed_in

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE = (105.7215, 29.7058)
TOLD = {"longitude": "105.75", "latitude": "29.61", "system": "cgcs2000", "reason": "站房迁建"}


@pytest.fixture(autouse=True)
def thing() -> Iterator[Thing]:
    roles = {"keeper": Role(title="设备管理员", may=["thing.read", "things.*"]), "reader": Role(title="读者", may=["thing.read"])}
    put_in_force(Declarations("r1", {"role": roles}))
    made = Thing.objects.create(id="a1", title="一号站", longitude=BEFORE[0], latitude=BEFORE[1])
    ThingLocation.objects.create(thing=made, longitude=BEFORE[0], latitude=BEFORE[1], since=NINE)
    yield made
    put_in_force(Declarations("", {}))


def moved(thing: Thing, at: datetime, to: Point, since: datetime | None = None) -> ThingLocation:
    with acting(system("operator"), at=at) as act:
        return relocate(act=act, thing=thing, to=to, reason="迁建", since=since)


def test_an_observation_keeps_the_place_of_its_time(thing: Thing) -> None:
    moved(thing, NINE + 5 * HOUR, Point(105.75, 29.61), since=NINE + 2 * HOUR)
    then = [locations_at(["a1"], NINE + hours * HOUR)["a1"].longitude for hours in (-1, 1, 2, 3)]
    assert then == [BEFORE[0], BEFORE[0], 105.75, 105.75]
    assert [(each.longitude, until) for each, until in locations_of(thing)] == [(105.75, None), (BEFORE[0], NINE + 2 * HOUR)]


def test_coordinates_of_another_system_are_normalized_and_kept_as_they_were_told(thing: Thing) -> None:
    made = moved(thing, NINE + HOUR, Point(105.7252, 29.7030, "gcj02"))
    assert abs(made.longitude - 105.7252) > 0.001
    assert made.stated == "105.7252, 29.703 (gcj02)"
    assert (thing.longitude, thing.latitude) == (made.longitude, made.latitude)
    assert EvidenceRecord.objects.get(action="things.relocate").facts["system"] == "gcj02"


@pytest.mark.parametrize("since", [NINE, NINE - HOUR, NINE + 3 * HOUR])
def test_history_is_not_rewritten_and_no_move_lies_ahead(thing: Thing, since: datetime) -> None:
    with pytest.raises(HaitangError) as refused:
        moved(thing, NINE + 2 * HOUR, Point(105.75, 29.61), since=since)
    assert refused.value.code == "things.moved_when"
    assert ThingLocation.objects.count() == 1


def test_the_page_moves_a_thing_and_shows_from_when_by_whom_and_why() -> None:
    keeper = signed_in("keeper")
    assert keeper.post("/things/a1/location", TOLD).status_code == 302
    shown = keeper.get("/things/a1").content.decode()
    assert all(part in shown for part in ("站房迁建", "105.750000°E", "105.721500°E", "keeper"))
    assert "站房迁建" not in str(EvidenceRecord.objects.get(action="things.relocate").facts)


@pytest.mark.parametrize("wrong", [{"longitude": "east"}, {"latitude": ""}, {"system": "utm"}, {"reason": " "}, {"since": "soon"}])
def test_what_is_wrong_is_told_beside_the_form_which_keeps_what_was_typed(wrong: dict[str, str]) -> None:
    answer = signed_in("keeper").post("/things/a1/location", {**TOLD, **wrong})
    shown = answer.content.decode()
    assert (answer.status_code, 'id="location-why"' in shown) == (400, True)
    assert f'value="{ {**TOLD, **wrong}["longitude"] }"' in shown
    assert ThingLocation.objects.count() == 1


def test_who_only_reads_moves_nothing() -> None:
    reader = signed_in("reader")
    assert reader.post("/things/a1/location", TOLD).status_code == 403
    assert 'action="/things/a1/location"' not in reader.get("/things/a1").content.decode()
