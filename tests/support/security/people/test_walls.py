"""A screen on a wall: reads what was granted at the wall's own addresses, until its day, and goes dark when it is revoked."""

from datetime import timedelta

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.server.front.door import _asker
from haitang.server.front.live import _topics
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Person, Session
from haitang.support.security.people.walls.actions import grant_wall
from haitang.support.security.people.walls.models import Wall
from tests.support.security.people.proved import made, proved, proved_client

pytestmark = pytest.mark.django_db


@pytest.fixture
def security() -> Person:
    return made("security", "security_administrator")


@pytest.fixture
def officer(security: Person) -> Client:
    return proved_client(security)


def granted(officer: Client, **more: str) -> str:
    return str(officer.post("/walls", {"title": "指挥大厅主屏", "days": "90", **more}).context["code"])


def opened(code: str) -> Client:
    screen = Client()
    answer = screen.post("/wall/open", {"code": code})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/wall")
    return screen


def test_a_screen_shows_the_wall_and_nothing_else(officer: Client) -> None:
    screen = opened(granted(officer))
    assert [screen.get(at).status_code for at in ("/wall", "/cockpit/alarms", "/maps/district.json")] == [200, 200, 200]
    for address in ("/", "/alarms", "/things", "/cases", "/account", "/tokens", "/people", "/password", "/search?q=a", "/evaluation"):
        assert (address, screen.get(address).status_code) in ((address, 302), (address, 403))
    for address in ("/api/alarms", "/api/cases", "/api/things/health", "/api/tokens", "/api/people"):
        assert (address, screen.get(address).status_code) in ((address, 401), (address, 403))


@pytest.mark.parametrize(("more", "shown"), [({}, False), ({"cases": "1"}, True)])
def test_a_screen_without_cases_does_not_say_that_there_are_none(officer: Client, more: dict[str, str], shown: bool) -> None:
    page = opened(granted(officer, **more)).get("/wall").content.decode()
    assert ("未结案件" in page, "期限盯办" in page, "最新报警" in page) == (shown, shown, True)


def test_a_screen_writes_nothing(officer: Client) -> None:
    screen = opened(granted(officer, cases="1"))
    for address in ("/wall", "/cockpit/alarms", "/api/cases", "/api/tokens", "/account/change", "/walls"):
        assert screen.post(address, {}).status_code in (302, 401, 403, 405), address


@pytest.mark.parametrize(
    ("more", "topics"), [({}, {"twin", "alarm", "indicator"}), ({"cases": "1"}, {"twin", "alarm", "indicator", "case"})]
)
def test_its_live_feed_carries_what_was_granted(officer: Client, more: dict[str, str], topics: set[str]) -> None:
    asker = _asker(opened(granted(officer, **more)).get("/api/session").json())
    assert _topics("twin,alarm,case,indicator", asker) - {"missed"} == topics
    assert "data.read" not in asker.may


def test_it_stays_open_without_a_click_until_its_day(officer: Client) -> None:
    screen, start = opened(granted(officer)), clock.now()
    assert int(screen.cookies["sessionid"]["max-age"]) > 80 * 86400
    with clock.frozen(start + timedelta(days=89)):
        assert screen.get("/wall").status_code == 200
        assert screen.get("/cockpit/alarms", headers={"X-By-Itself": "live"}).status_code == 200
        assert Session.objects.get(wall__isnull=False).seen_at == clock.now()
    with clock.frozen(start + timedelta(days=90, minutes=1)):
        assert screen.get("/wall").status_code == 302


def test_a_code_opens_one_screen_once_and_for_an_hour(officer: Client) -> None:
    code = granted(officer)
    opened(code)
    assert Client().post("/wall/open", {"code": code}).status_code == 400
    late = granted(officer)
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        assert Client().post("/wall/open", {"code": late}).status_code == 400
    assert code not in str(list(Wall.objects.values()))


def test_guessing_a_code_is_delayed_by_address() -> None:
    answers = [Client().post("/wall/open", {"code": f"guess-{n}"}).status_code for n in range(52)]
    assert (answers[0], answers[-1]) == (400, 429)


def test_it_is_seen_among_the_sessions_and_goes_dark_when_revoked(officer: Client) -> None:
    screen = opened(granted(officer))
    (shown,) = officer.get("/walls").context["screens"]
    assert shown.session.session.wall == shown.wall.pk
    assert officer.post(f"/walls/{shown.wall.pk}", {"do": "revoke"}).status_code == 302
    assert screen.get("/wall").status_code == 302
    assert not Session.objects.filter(wall__isnull=False).exists()


def test_a_new_code_ends_the_session_of_the_screen_that_was_replaced(officer: Client) -> None:
    old = opened(granted(officer))
    code = officer.post(f"/walls/{Wall.objects.get().pk}", {"do": "code"}).context["code"]
    assert old.get("/wall").status_code == 200
    new = opened(code)
    assert (old.get("/wall").status_code, new.get("/wall").status_code) == (302, 200)


@pytest.mark.parametrize("role", ["administrator", "audit_administrator", "duty_officer"])
def test_only_the_security_administrator_grants(role: str) -> None:
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(made("other", role))) as act:
        grant_wall(act=act, title="屏", lasts=timedelta(days=1), cases=False)


@pytest.mark.parametrize("days", [0, 366])
def test_no_grant_is_longer_than_the_setting(security: Person, days: int) -> None:
    with pytest.raises(HaitangError, match="wall_too_long"), acting(proved(security)) as act:
        grant_wall(act=act, title="屏", lasts=timedelta(days=days), cases=False)


def test_each_step_is_evidence(officer: Client) -> None:
    opened(granted(officer))
    wall = Wall.objects.get()
    officer.post(f"/walls/{wall.pk}", {"do": "revoke"})
    found = EvidenceRecord.objects.filter(subject_kind="wall", subject_id=str(wall.pk)).order_by("id")
    assert [(each.action, each.actor.partition(":")[0]) for each in found] == [
        ("people.grant_wall", "staff"), ("people.open_wall", "system"), ("people.revoke_wall", "staff"),
    ]  # fmt: skip
