"""The health page: the state of each device, what came of what was to be expected, for whom it concerns, in a number of queries that does not grow."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from haitang.base import clock
from haitang.base.declarations import Declarations, put_in_force
from haitang.hub.data.lake import rollup
from haitang.hub.data.lake.buckets import micros
from haitang.hub.data.lake.writer import Writer
from haitang.operations.management.health import expected, queries
from haitang.operations.management.health.expected import Window
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.stream.messages import Observation
from haitang.support.infrastructure.things.kinds import Device, Observed
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing
from haitang.support.infrastructure.twin.models import Reading
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person, RoleHolding
from haitang.support.security.people.queries import actor_of
from tests.hub.data.fresh import HOUR as HOUR_MICROS
from tests.hub.data.fresh import batch, fresh_lake, reading

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
STATION = Device(
    title="空气站", silent_after="90min", every="30min",
    observes={"pm2_5": Observed(title="细颗粒物", unit="ug/m3", statistics=["instant", "hour mean", "day mean"])},
)  # fmt: skip
GAUGE = Device(title="水尺", silent_after="3h", observes={"level": Observed(title="水位", unit="m")})


@pytest.fixture(autouse=True)
def declared() -> Iterator[None]:
    roles = {"all": Role(title="全部", may=["thing.read"]), "own": Role(title="本单位", may=["thing.read@own"])}
    put_in_force(Declarations("health", {"device": {"station": STATION, "gauge": GAUGE}, "role": roles}))
    Organization.objects.create(pk="ecology", title="生态环境局")
    Organization.objects.create(pk="water", title="水利局")
    expected._kept.clear()
    with clock.frozen(clock.now()):  # no hour passes within a test
        yield
    put_in_force(Declarations("", {}))


def thing(id: str, *, device: str = "station", organization: str = "ecology", heard: float | None = 0.1, **more: Any) -> Thing:
    now = clock.now()
    last = None if heard is None else now - heard * HOUR
    first = None if heard is None else now - 48 * HOUR
    return Thing.objects.create(id=id, title=id, device=device, organization_id=organization, first_seen=first, last_seen=last, **more)


def who(role: str, organization: str | None = None) -> Person:
    made = Person.objects.create(username=role, name=role, organization_id=organization)
    RoleHolding.objects.create(person=made, role=role)
    return made


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def several() -> None:
    thing("online")
    thing("silent", heard=2)
    thing("patient", device="gauge", organization="water", heard=2)
    thing("never", heard=None)
    thing("retired", status=Thing.RETIRED, heard=50)
    worked_on = thing("worked_on", organization="water", heard=9)
    now = clock.now()
    MaintenanceWindow.objects.create(thing=worked_on, starts_at=now - HOUR, ends_at=now + HOUR, reason="校准", noted_by="system:test")


def test_each_device_counts_once_in_the_state_that_its_type_gives_it() -> None:
    several()
    found = queries.overview(actor_of(who("all")))
    assert dict(found.whole.states) == {"online": 2, "silent": 1, "never": 1, "maintained": 1}
    assert {each.id: each.total for each in found.kinds} == {"station": 4, "gauge": 1}
    assert {each.id: dict(each.states) for each in found.organizations}["water"] == {"online": 1, "maintained": 1}


def test_the_list_behind_a_figure_has_what_the_figure_counts() -> None:
    several()
    client = signed_in(who("all"))
    page = client.get("/things/health").content.decode()
    assert 'href="/things?device=station&amp;state=silent"' in page
    for address, ids in (
        ("device=station&state=silent", ["silent"]),
        ("organization=water&state=online", ["patient"]),
        ("state=never", ["never"]),
    ):
        listed = client.get(f"/things?{address}&column=id").content.decode()
        assert [id for id in ("online", "silent", "patient", "never", "retired", "worked_on") if f"<code>{id}</code>" in listed] == ids


def test_who_may_for_their_own_organization_sees_its_devices_only() -> None:
    several()
    client = signed_in(who("own", "water"))
    told = client.get("/api/things/health").json()
    assert (told["whole"]["total"], [each["id"] for each in told["organizations"]]) == (2, ["water"])
    assert client.get("/things/health").status_code == 200
    listed = client.get("/things?column=id").content.decode()
    assert ("<code>patient</code>" in listed, "<code>silent</code>" in listed) == (True, False)
    assert (client.get("/things/patient").status_code, client.get("/things/silent").status_code) == (200, 403)


def test_flags_and_credentials_that_end_are_counted_where_they_belong() -> None:
    several()
    now = clock.now()
    for property, quality in (("a", "normal"), ("b", "flag:D"), ("c", "flag:D"), ("d", "invalid")):
        Reading.objects.create(
            thing="online", property=property, statistic="instant", node="n", unit="", quality=quality, origin="live", source_ref="", number=1.0,
            period_start=now, period_end=now, received_at=now,
        )  # fmt: skip
    for number, days in enumerate((5, 29, 60)):
        DeviceCredential.objects.create(
            identifier=f"c{number}",
            thing_id="silent",
            salt=b"",
            digest=b"",
            issued_at=now,
            issued_by="x",
            valid_until=now + timedelta(days=days),
        )
    found = queries.overview(actor_of(who("all")))
    station = next(each for each in found.kinds if each.id == "station")
    assert (dict(station.flags), station.flagged, station.expiring) == ({"flag:D": 2, "invalid": 1}, 1, 2)
    assert "flag:D" in signed_in(who("own", "ecology")).get("/things/health").content.decode()


def test_what_came_is_counted_from_the_lake_and_the_rest_is_missing(tmp_path_factory: pytest.TempPathFactory) -> None:
    thing("full")
    thing("half")
    window = Window.before(clock.now())
    with fresh_lake(tmp_path_factory.mktemp("health")) as lake:
        rows = [*_hours("full", window, range(24)), *_instants("full", window, 48), *_hours("half", window, range(12))]
        rollup.update(lake, Writer(lake, "s").write([(1, batch(*rows))]).position)
        found = queries.overview(actor_of(who("all")))
    assert (found.whole.expected, found.whole.received) == (2 * (24 + 48), 24 + 48 + 12)
    assert expected.hourly(STATION) == {("pm2_5", "instant"): 2.0, ("pm2_5", "hour mean"): 1.0}


def test_what_a_device_that_came_lately_owes_begins_with_it() -> None:
    window = Window.before(clock.now())
    moments = (window.start - HOUR, window.start + 2.5 * HOUR, window.end + HOUR)
    hours = [window.hours_since(at) for at in (None, *(at.timestamp() for at in moments))]
    assert hours == [24, 24, 21, 0]


def test_when_a_device_was_last_heard_is_told_to_the_second() -> None:
    made = thing("online")
    whole = queries.overview(actor_of(who("all"))).whole
    assert whole.last_heard is not None
    assert made.last_seen is not None
    assert abs((whole.last_heard - made.last_seen).total_seconds()) < 1


def test_what_a_new_device_brings_of_the_time_before_counts(tmp_path_factory: pytest.TempPathFactory) -> None:
    now = clock.now()
    Thing.objects.create(id="new", title="new", device="station", organization_id="ecology", first_seen=now, last_seen=now)
    window = Window.before(now)
    with fresh_lake(tmp_path_factory.mktemp("health")) as lake:
        rollup.update(lake, Writer(lake, "s").write([(1, batch(*_hours("new", window, range(24))))]).position)
        found = queries.overview(actor_of(who("all")))
    assert (found.whole.expected, found.whole.received) == (24, 24)


def test_more_devices_cost_no_more_queries() -> None:
    reader, counts = actor_of(who("all")), []
    for many in (5, 300):
        Thing.objects.bulk_create([Thing(id=f"t{many}_{n}", title="x", device="station", organization_id="ecology") for n in range(many)])
        with CaptureQueriesContext(connection) as asked:
            queries.overview(reader)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 6


def _hours(thing: str, window: Window, hours: range) -> list[Observation]:
    return [reading(thing=thing, at=micros(window.start) + n * HOUR_MICROS) for n in hours]


def _instants(thing: str, window: Window, many: int) -> list[Observation]:
    return [reading(thing=thing, at=micros(window.start) + n * HOUR_MICROS // 2, length=0) for n in range(many)]
