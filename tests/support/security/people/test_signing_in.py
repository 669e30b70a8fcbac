"""Passwords by policy, growing delays, sessions that end."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.people.actions import change_password, end_sessions, set_active
from haitang.support.security.people.kinds import SignIn
from haitang.support.security.people.models import Person, Session
from haitang.support.security.people.passwords import check_password, too_old
from haitang.support.security.people.throttle import delay
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db
PASSWORD = "river-stone-42"
HASHED = make_password(PASSWORD)


@pytest.fixture
def wang() -> Person:
    return made("wangli", password=HASHED, email="wang.li@example.org")


def sign_in(client: Client, password: str = PASSWORD, username: str = "wangli", **more: Any) -> Any:
    body = json.dumps({"username": username, "password": password})
    return client.post("/api/session", body, content_type="application/json", **more)


def test_an_old_password_is_good_only_for_its_change_and_a_warning_comes_before(wang: Person) -> None:
    Person.objects.update(synthetic=False, password_set_at=clock.now() - timedelta(days=80))
    client = Client()
    sign_in(client)
    assert "密码还有 9 天到期" in client.get("/account").content.decode()
    Person.objects.update(password_set_at=clock.now() - timedelta(days=91))
    assert client.get("/account", follow=True).redirect_chain[-1][0] == "/password"
    assert client.get("/api/session").json()["must_change_password"] is True
    assert "密码已到期" in client.get("/password").content.decode()
    changed = {"current": PASSWORD, "new": "second-stone-43", "again": "second-stone-43"}
    assert client.post("/password", changed).status_code == 302
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize(
    ("password", "why"),
    [("short1", "weak"), ("onlyletters", "weak"), ("a1-wangli-b2", "weak"), ("password123", "common"), ("wang.li@example.1", "similar")],
)
def test_a_password_is_refused_for_a_reason(wang: Person, password: str, why: str) -> None:
    with pytest.raises(HaitangError, match=f"people.{why}_password"):
        check_password(wang, password)


def test_an_earlier_password_is_not_taken_again(wang: Person) -> None:
    before = PASSWORD
    for new in ("second-stone-43", "third-stone-44"):
        with acting(proved(wang)) as act:
            change_password(act=act, person=wang, current=before, new=new)
        before = new
    with pytest.raises(HaitangError, match="used_password"), acting(proved(wang)) as act:
        change_password(act=act, person=wang, current=before, new=PASSWORD)


def test_a_password_grows_old(wang: Person) -> None:
    wang.password_set_at = clock.now() - timedelta(days=91)
    assert too_old(wang, SignIn(title="甲", password_age="90d"), clock.now())
    assert not too_old(wang, SignIn(title="甲"), clock.now())


@given(st.integers(1, 10_000))
def test_a_delay_grows_and_never_passes_the_longest(failures: int) -> None:
    policy = SignIn(title="甲")
    now, then = delay(failures, "account:x", policy), delay(failures + 1, "account:x", policy)
    assert timedelta(0) <= now <= then <= timedelta(minutes=15)
    assert delay(failures, "address:x", policy) <= now


def test_guessing_elsewhere_does_not_lock_the_owner_out_of_a_known_browser(wang: Person) -> None:
    owner = Client()
    assert sign_in(owner).status_code == 200
    owner.delete("/api/session")
    guesser = Client(headers={"X-Forwarded-For": "203.0.113.9"})
    assert [sign_in(guesser, "wrong").status_code for _ in range(7)][-1] == 429
    assert sign_in(Client()).status_code == 429
    assert sign_in(owner).status_code == 200


def test_an_unknown_name_is_delayed_like_a_known_one() -> None:
    assert [sign_in(Client(), "wrong", "nobody").status_code for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.timeout(400)  # fifty passwords are hashed
def test_one_address_is_delayed_whatever_names_it_tries() -> None:
    guesser = Client(headers={"X-Forwarded-For": "203.0.113.9"})
    answers = [sign_in(guesser, "wrong", f"name{n}").status_code for n in range(51)]
    assert answers == [401] * 50 + [429]
    assert sign_in(Client(headers={"X-Forwarded-For": "203.0.113.10"}), "wrong", "name99").status_code == 401


def test_a_session_ends_when_nobody_clicks(wang: Person) -> None:
    client, start = Client(), clock.now()
    sign_in(client)
    for minutes, path, status in ((110, "/account", 200), (220, "/account", 200), (341, "/account", 302)):
        with clock.frozen(start + timedelta(minutes=minutes)):
            assert client.get(path).status_code == status


def test_what_a_page_asks_by_itself_is_no_click(wang: Person) -> None:
    client, start = Client(), clock.now()
    sign_in(client)
    for minutes in (60, 110):
        with clock.frozen(start + timedelta(minutes=minutes)):
            assert client.get("/api/session").status_code == 200
            assert client.get("/account", headers={"X-By-Itself": "live"}).status_code == 200
    with clock.frozen(start + timedelta(minutes=121)):
        assert client.get("/api/session").status_code == 401


def test_a_session_ends_after_its_whole_life_however_busy(wang: Person) -> None:
    client, start = Client(), clock.now()
    sign_in(client)
    for hours in range(1, 12):
        with clock.frozen(start + timedelta(hours=hours)):
            assert client.get("/account").status_code == 200
    with clock.frozen(start + timedelta(hours=12, minutes=1)):
        assert client.get("/account").status_code == 302


def test_a_session_that_gets_a_new_key_gets_a_new_row(wang: Person) -> None:
    client = Client()
    sign_in(client)
    before = Session.objects.get(person=wang)
    session = client.session
    session.cycle_key()
    after = Session.objects.get(session_key=session.session_key)
    assert before.id != after.id
    assert not Session.objects.filter(pk=before.pk).exists()


def two_sessions(wang: Person) -> tuple[Client, Client]:
    here, there = Client(), Client(headers={"User-Agent": "Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile DingTalk/7"})
    assert sign_in(here).status_code == sign_in(there).status_code == 200
    return here, there


def test_my_sessions_are_seen_and_one_is_ended(wang: Person) -> None:
    here, there = two_sessions(wang)
    shown = here.get("/account").content.decode()
    assert "钉钉 · Android" in shown
    other = Session.objects.get(agent__contains="DingTalk")
    here.post(f"/account/sessions/{other.id}/end")
    assert (here.get("/api/session").status_code, there.get("/api/session").status_code) == (200, 401)


def test_nobody_ends_a_session_of_somebody_else_by_its_address(wang: Person) -> None:
    here, _ = two_sessions(wang)
    zhao = made("zhao", password=HASHED)
    stranger = Client()
    sign_in(stranger, username="zhao")
    assert stranger.post(f"/account/sessions/{Session.objects.filter(person=wang)[0].id}/end").status_code == 404
    assert here.get("/api/session").status_code == 200
    assert Session.objects.filter(person=zhao).count() == 1


def test_a_change_of_password_ends_the_other_sessions(wang: Person) -> None:
    here, there = two_sessions(wang)
    new = {"current": PASSWORD, "new": "second-stone-43", "again": "second-stone-43"}
    assert here.post("/password", new).headers["Location"] == "/"
    assert (here.get("/api/session").status_code, there.get("/api/session").status_code) == (200, 401)


@pytest.mark.parametrize("how", ["ended", "disabled"])
def test_an_administrator_ends_sessions_with_the_next_request(wang: Person, how: str) -> None:
    here, there = two_sessions(wang)
    with acting(proved(made("admin", "administrator"))) as act:
        if how == "ended":
            assert end_sessions(act=act, person=wang) == 2
        else:
            set_active(act=act, person=wang, active=False)
    assert (here.get("/api/session").status_code, there.get("/api/session").status_code) == (401, 401)


def test_a_sensitive_action_asks_again_and_goes_on_with_what_was_typed(wang: Person) -> None:
    made("security", "security_administrator", password=HASHED)
    client, start = Client(), clock.now()
    sign_in(client, username="security")
    with clock.frozen(start + timedelta(minutes=11)):
        asked = client.post(f"/people/{wang.pk}/change", {"do": "give", "role": "dispatcher"})
        assert (asked.status_code, asked.context["by_password"]) == (403, True)
        wrong = client.post("/prove", {"kept": asked.context["kept"], "password": "wrong"})
        assert (wrong.status_code, wrong.context["kept"]) == (403, asked.context["kept"])
        right = client.post("/prove", {"kept": asked.context["kept"], "password": PASSWORD})
        assert (right.context["path"], dict(right.context["typed"])) == (f"/people/{wang.pk}/change", {"do": "give", "role": "dispatcher"})
        assert client.post(right.context["path"], dict(right.context["typed"])).status_code == 302
    assert wang.holdings.get().role == "dispatcher"


def test_the_operator_resets_from_the_machine(wang: Person) -> None:
    from haitang.support.security.people.actions import set_password

    with acting(system("operator")) as act:
        secret = set_password(act=act, person=wang)
    assert sign_in(Client(), secret).json()["must_change_password"] is True
