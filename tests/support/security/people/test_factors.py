"""Second factors: asked for at sign-in, replay refused, recovery codes good once, required by role."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.factors.actions import add_authenticator, confirm_authenticator, reset_factors
from haitang.support.security.people.factors.models import Authenticator, RecoveryCode
from haitang.support.security.people.models import Person, RoleHolding
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db
PASSWORD = "river-stone-42"
HASHED = make_password(PASSWORD)


def code(secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + timedelta(seconds=30 * steps))


@pytest.fixture
def wang() -> Person:
    return made("wangli", password=HASHED)


def enrolled(person: Person) -> tuple[str, list[str]]:
    with acting(proved(person)) as act:
        _, secret = add_authenticator(act=act, person=person)
    with clock.frozen(clock.now() - timedelta(minutes=5)), acting(proved(person)) as act:
        return secret, confirm_authenticator(act=act, person=person, code=code(secret))


def sign_in(client: Client, **more: str) -> Any:
    body = json.dumps({"username": "wangli", "password": PASSWORD, **more})
    return client.post("/api/session", body, content_type="application/json")


def test_the_password_alone_does_not_let_in(wang: Person) -> None:
    secret, _ = enrolled(wang)
    client = Client()
    assert sign_in(client).json()["code"] == "people.needs_code"
    assert client.get("/api/session").status_code == 401
    assert sign_in(client, code=code(secret)).status_code == 200
    assert EvidenceRecord.objects.filter(action="people.sign_in").latest("id").facts == {"by": "password totp"}


def test_a_code_counts_once(wang: Person) -> None:
    secret, _ = enrolled(wang)
    shown = code(secret)
    assert [sign_in(Client(), code=shown).status_code for _ in range(2)] == [200, 400]
    assert sign_in(Client(), code=code(secret, 1)).status_code == 200
    assert sign_in(Client(), code=code(secret, -1)).status_code == 400


def test_a_recovery_code_counts_once_and_is_kept_as_a_digest(wang: Person) -> None:
    _, codes = enrolled(wang)
    assert [sign_in(Client(), code=codes[0]).status_code for _ in range(2)] == [200, 400]
    assert RecoveryCode.objects.filter(person=wang, used_at=None).count() == 9
    assert not RecoveryCode.objects.filter(digest__in=[each.replace("-", "") for each in codes]).exists()


def test_the_secret_is_not_readable_in_the_database(wang: Person) -> None:
    secret, _ = enrolled(wang)
    assert secret not in Authenticator.objects.get(person=wang).secret


def test_wrong_codes_are_delayed_like_wrong_passwords(wang: Person) -> None:
    enrolled(wang)
    assert [sign_in(Client(), code="000000").status_code for _ in range(6)] == [400] * 5 + [429]


def test_the_page_asks_for_the_code_and_leads_on(wang: Person) -> None:
    secret, _ = enrolled(wang)
    client = Client()
    asked = client.post("/sign-in", {"username": "wangli", "password": PASSWORD, "next": "/account"})
    assert asked.headers["Location"] == "/sign-in/factor?next=%2Faccount"
    wrong = client.post("/sign-in/factor", {"code": "000000", "next": "/account"})
    assert (wrong.status_code, client.get("/account").status_code) == (400, 302)
    assert client.post("/sign-in/factor", {"code": code(secret), "next": "/account"}).headers["Location"] == "/account"


def test_the_second_step_waits_ten_minutes(wang: Person) -> None:
    secret, _ = enrolled(wang)
    client = Client()
    client.post("/sign-in", {"username": "wangli", "password": PASSWORD})
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        assert client.post("/sign-in/factor", {"code": code(secret)}).headers["Location"] == "/sign-in"


def test_a_role_that_asks_for_a_factor_opens_nothing_before_it(wang: Person) -> None:
    Person.objects.filter(pk=wang.pk).update(synthetic=False)
    wang.refresh_from_db()
    RoleHolding.objects.create(person=wang, role="security_administrator")
    with acting(proved(made("security", "security_administrator"))) as act:
        handed_over = reset_factors(act=act, person=wang)
    client = Client()
    assert client.post("/sign-in", {"username": "wangli", "password": PASSWORD}).headers["Location"] == "/account/factors"
    assert client.get("/people").headers["Location"].startswith("/sign-in")
    assert client.get("/api/people").json()["code"] == "people.must_enrol"
    assert client.get("/api/session").json()["must_enrol"] is True  # by which the front keeps its data and live feed closed
    client.post("/account/factors/enrolment", {"code": handed_over})
    shown = client.post("/account/factors/authenticator")
    done = client.post("/account/factors/authenticator", {"code": code(shown.context["secret"])})
    assert len(done.context["codes"]) == 10
    assert client.get("/people").status_code == 200
    assert client.get("/api/session").json()["must_enrol"] is False


def test_a_sensitive_action_asks_for_the_factor_again(wang: Person) -> None:
    RoleHolding.objects.create(person=wang, role="security_administrator")
    secret, _ = enrolled(wang)
    client, start = Client(), clock.now()
    sign_in(client, code=code(secret))
    li = made("li")
    with clock.frozen(start + timedelta(minutes=11)):
        asked = client.post(f"/people/{li.pk}/change", {"do": "give", "role": "dispatcher"})
        assert asked.context["by_password"] is False
        assert client.post("/prove", {"kept": asked.context["kept"], "password": PASSWORD}).status_code == 400
        assert client.post("/prove", {"kept": asked.context["kept"], "code": code(secret)}).status_code == 200
        assert client.post(f"/people/{li.pk}/change", {"do": "give", "role": "dispatcher"}).status_code == 302


@pytest.mark.parametrize(("role", "may"), [("security_administrator", True), ("administrator", False), ("audit_administrator", False)])
def test_only_the_security_administrator_resets_a_lost_factor(wang: Person, role: str, may: bool) -> None:
    enrolled(wang)

    def reset() -> None:
        with acting(proved(made("officer", role))) as act:
            reset_factors(act=act, person=wang)

    _refused_unless(may, reset)
    assert Authenticator.objects.filter(person=wang).exists() is not may


def _refused_unless(may: bool, does: Callable[[], None]) -> None:
    if may:
        does()
    else:
        with pytest.raises(HaitangError, match="not_allowed"):
            does()


def test_nobody_resets_their_own_factor() -> None:
    security = made("security", "security_administrator", mobile="13900000003")
    with pytest.raises(HaitangError, match="own_factors"), acting(proved(security)) as act:
        reset_factors(act=act, person=made("second", mobile="13900000003"))
