"""People sign in, act under their roles, and every sign-in leaves evidence."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.declarations import Declarations
from haitang.base.errors import HaitangError
from haitang.base.settings import settings, use
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.actions import create_person, first_administrator, give_role, take_role
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person

pytestmark = pytest.mark.django_db

PASSWORD = "river-stone-42"


@pytest.fixture(autouse=True)
def _roles(monkeypatch: pytest.MonkeyPatch) -> None:
    roles = {
        "administrator": Role(title="系统管理员", may=["people.*"]),
        "dispatcher": Role(title="派遣员", may=["people.read"], persona="派遣"),
    }
    for id, role in roles.items():
        role._id = id
    released = Declarations("d", {"role": roles})
    monkeypatch.setattr(sys.modules["haitang.base.declarations.in_force"], "_current", lambda: released)


@pytest.fixture
def wang() -> Person:
    with acting(system("setup")) as act:
        person = create_person(act=act, username="wangli", name="王丽", password=PASSWORD)
        give_role(act=act, person=person, role="dispatcher")
    Person.objects.update(must_change_password=False)
    person.refresh_from_db()
    return person


def post(client: Client, address: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
    return client.post(address, json.dumps(body or {}), content_type="application/json", **more)


def sign_in(client: Client, password: str = PASSWORD, username: str = "wangli") -> Any:
    return post(client, "/api/session", {"username": username, "password": password})


def test_a_session_tells_who_i_am_and_what_i_may(wang: Person) -> None:
    client = Client()
    assert client.get("/api/session").status_code == 401
    answer = sign_in(client)
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["roles"], answer.json()["demo"]) == ("王丽", ["dispatcher"], False)
    assert "people.read" in answer.json()["may"]
    assert "people.create" not in answer.json()["may"]
    assert client.get("/api/session").json()["person"] == str(wang.id)
    assert client.delete("/api/session").status_code == 200
    assert client.get("/api/session").status_code == 401
    acts = EvidenceRecord.objects.filter(subject_id=str(wang.id)).order_by("id").values_list("action", flat=True)
    assert list(acts) == ["people.create", "people.give_role", "people.sign_in", "people.sign_out"]


def test_the_session_key_changes_at_sign_in(wang: Person) -> None:
    client = Client()
    client.session.save()
    client.cookies["sessionid"] = before = client.session.session_key or "x"
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def test_writes_need_the_csrf_token(wang: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    token = sign_in(client).json()["csrf"]
    assert client.delete("/api/session").status_code == 403
    assert client.delete("/api/session", headers={"X-CSRFToken": token}).status_code == 200


def test_a_form_of_a_foreign_page_cannot_sign_in(wang: Person) -> None:
    body = json.dumps({"username": "wangli", "password": PASSWORD})
    assert Client().post("/api/session", body, content_type="text/plain").status_code == 415


def test_wrong_passwords_lock_for_a_while_and_are_kept(wang: Person) -> None:
    client = Client()
    assert [sign_in(client, "wrong").status_code for _ in range(6)] == [401] * 5 + [429]
    assert sign_in(client).status_code == 429
    assert EvidenceRecord.objects.filter(action="people.sign_in_failed", subject_id=str(wang.id)).count() == 7
    assert sign_in(client, username="nobody").status_code == 401
    with clock.frozen(clock.now() + timedelta(minutes=16)):
        assert sign_in(client).status_code == 200


def test_no_record_carries_a_name(wang: Person) -> None:
    sign_in(Client(), "wrong")
    kept = json.dumps(list(EvidenceRecord.objects.values_list("facts", flat=True)), ensure_ascii=False)
    assert "王丽" not in kept
    assert "wangli" not in kept


def test_the_first_administrator_must_change_the_secret() -> None:
    with acting(system("setup")) as act:
        secret = first_administrator(act=act)
    with pytest.raises(HaitangError, match="administrator_exists"), acting(system("setup")) as act:
        first_administrator(act=act)
    client = Client()
    assert client.post("/sign-in", {"username": "admin", "password": secret}).headers["Location"] == "/password"
    assert client.get("/api/people").status_code == 403
    assert client.get("/people").headers["Location"].startswith("/sign-in")
    weak = client.post("/password", {"current": secret, "new": "short", "again": "short"})
    assert weak.status_code == 400
    assert client.post("/password", {"current": secret, "new": PASSWORD, "again": PASSWORD}).headers["Location"] == "/"
    assert client.get("/api/people").status_code == 200


def test_an_administrator_makes_people_and_others_may_not(wang: Person) -> None:
    client = Client()
    token = sign_in(client).json()["csrf"]
    new = {"username": "zhao", "name": "赵六", "roles": ["dispatcher"]}
    refused = post(client, "/api/people", new, headers={"X-CSRFToken": token})
    assert refused.status_code == 403
    assert "系统管理员" in refused.json()["message"]
    with acting(system("setup")) as act:
        take_role(act=act, person=wang, role="dispatcher")
        give_role(act=act, person=wang, role="administrator")
    assert post(client, "/api/people", new, headers={"X-CSRFToken": token}).status_code == 401  # an office ends the sessions from before it
    token = sign_in(client).json()["csrf"]
    assert post(client, "/api/people", new, headers={"X-CSRFToken": token}).status_code == 403  # giving roles is another officer's
    made = post(client, "/api/people", {**new, "roles": []}, headers={"X-CSRFToken": token}).json()
    assert sign_in(Client(), made["secret"], "zhao").json()["must_change_password"] is True
    page = client.get("/people")
    assert page.status_code == 200
    assert "赵六" in page.content.decode()


@pytest.fixture
def _demo() -> Iterator[None]:
    before = settings()
    use(replace(before, demo=True))
    yield
    use(before)


def persona() -> Person:
    with acting(system("demo")) as act:
        person = create_person(act=act, username="demo-dispatcher", name="示例派遣员", synthetic=True)
        give_role(act=act, person=person, role="dispatcher")
    return person


@pytest.mark.usefixtures("_demo")
def test_a_demonstration_switches_to_made_up_people_only(wang: Person) -> None:
    made_up = persona()
    client = Client()
    assert post(client, "/api/personas/dispatcher").json()["person"] == str(made_up.id)
    assert post(client, "/api/personas/administrator").status_code == 404
    record = EvidenceRecord.objects.get(action="people.sign_in")
    assert record.facts == {"by": "persona"}
    assert "示例派遣员" in Client().get("/sign-in").content.decode()


def test_elsewhere_nobody_switches(wang: Person) -> None:
    persona()
    assert post(Client(), "/api/personas/dispatcher").status_code == 403
    assert Client().post("/personas/dispatcher").status_code == 403
    assert "示例派遣员" not in Client().get("/sign-in").content.decode()


def test_sign_in_leads_back_but_never_to_a_foreign_site(wang: Person) -> None:
    answers = [
        Client().post("/sign-in", {"username": "wangli", "password": PASSWORD, "next": target}).headers["Location"]
        for target in ("/cases", "https://evil.example/")
    ]
    assert answers == ["/cases", "/"]
