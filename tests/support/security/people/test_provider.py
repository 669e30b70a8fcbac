"""What a client system must not get: the flow itself is tested with an independent client in tests/browser."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet

from haitang.base import clock
from haitang.base import settings as ours
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.support.security.people.models import Person
from haitang.support.security.people.single_sign_on import keys
from haitang.support.security.people.single_sign_on.actions import register_client, rotate_key, set_client_active
from haitang.support.security.people.single_sign_on.models import ClientSystem
from tests.support.security.people.proved import made, proved

pytestmark = pytest.mark.django_db
BACK = "https://water.example.org/callback"
VERIFIER = "v" * 50


@pytest.fixture(autouse=True)
def _address() -> Iterator[None]:
    before = ours.settings()
    ours.use(replace(before, public_url="https://city.example.org"))
    yield
    ours.use(before)


@pytest.fixture
def system() -> tuple[ClientSystem, str]:
    with acting(proved(made("security", "security_administrator"))) as act:
        return register_client(act=act, title="水务巡查", redirect_uris=[BACK], scopes=["profile"])


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(made("wangli"))
    session = client.session
    session.update({"proved": clock.now().isoformat(), "id": "00000000-0000-0000-0000-000000000001"})
    session.save()
    return client


def ask(browser: Client, system: ClientSystem, do: str = "agree", **change: str | None) -> Any:
    asked = {
        "response_type": "code", "client_id": system.client_id, "redirect_uri": BACK, "scope": "openid profile phone", "state": "s", "nonce": "n",
        "code_challenge": create_s256_code_challenge(VERIFIER), "code_challenge_method": "S256", **change,
    }  # fmt: skip
    from urllib.parse import urlencode

    address = f"/oidc/authorize?{urlencode({k: v for k, v in asked.items() if v is not None})}"
    return browser.post(address, {"do": do})


def code_of(answer: Any) -> str:
    from urllib.parse import parse_qs, urlsplit

    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert found["iss"] == ["https://city.example.org"]
    return found["code"][0]


def change(code: str, system: ClientSystem, secret: str, **more: str) -> Any:
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **more}
    return Client().post("/oidc/token", {**body, "client_id": system.client_id, "client_secret": secret})


def test_a_code_becomes_an_identity_and_only_what_was_registered(browser: Client, system: tuple[ClientSystem, str]) -> None:
    given = change(code_of(ask(browser, system[0])), *system).json()
    published = KeySet.import_key_set(Client().get("/oidc/jwks").json())
    said = jwt.decode(given["id_token"], published, algorithms=["ES256"]).claims
    assert (said["iss"], said["aud"], said["nonce"]) == ("https://city.example.org", system[0].client_id, "n")
    assert str(Person.objects.get(username="wangli").pk) != said["sub"]
    told = Client().get("/oidc/userinfo", headers={"Authorization": f"Bearer {given['access_token']}"}).json()
    assert told == {"sub": said["sub"], "name": "wangli", "preferred_username": "wangli"}
    assert "d" not in Client().get("/oidc/jwks").json()["keys"][0]


def test_a_code_is_good_once_and_a_second_use_withdraws_the_token(browser: Client, system: tuple[ClientSystem, str]) -> None:
    code = code_of(ask(browser, system[0]))
    token = change(code, *system).json()["access_token"]
    assert change(code, *system).json()["error"] == "invalid_grant"
    assert Client().get("/oidc/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"redirect_uri": "https://evil.example/"},
        {"response_type": "token"},
    ],
)
def test_a_request_that_asks_otherwise_gets_no_code(
    browser: Client, system: tuple[ClientSystem, str], wrong: dict[str, str | None]
) -> None:
    answer = ask(browser, system[0], **wrong)
    assert "code=" not in answer.headers.get("Location", "")
    assert not answer.headers.get("Location", "").startswith("https://evil")


@pytest.mark.parametrize(
    "wrong", [{"code_verifier": "w" * 50}, {"redirect_uri": "https://water.example.org/other"}, {"client_secret": "x"}]
)
def test_a_stolen_code_is_worth_nothing(browser: Client, system: tuple[ClientSystem, str], wrong: dict[str, str]) -> None:
    code, secret = code_of(ask(browser, system[0])), wrong.pop("client_secret", system[1])
    assert "access_token" not in change(code, system[0], secret, **wrong).json()


def test_a_code_runs_out(browser: Client, system: tuple[ClientSystem, str]) -> None:
    code = code_of(ask(browser, system[0]))
    with clock.frozen(clock.now() + timedelta(seconds=61)):
        assert change(code, *system).json()["error"] == "invalid_grant"


def test_a_system_that_is_off_signs_nobody_in(browser: Client, system: tuple[ClientSystem, str]) -> None:
    with acting(proved(Person.objects.get(username="security"))) as act:
        set_client_active(act=act, client=system[0], active=False)
    assert ask(browser, system[0]).status_code == 400


def test_who_refuses_is_sent_back_without_a_code(browser: Client, system: tuple[ClientSystem, str]) -> None:
    assert "error=access_denied" in ask(browser, system[0], do="refuse").headers["Location"]


def test_a_nonce_is_good_once(browser: Client, system: tuple[ClientSystem, str]) -> None:
    assert [("code=" in ask(browser, system[0]).headers["Location"]) for _ in range(2)] == [True, False]


def test_an_old_key_stays_published_for_what_it_signed(system: tuple[ClientSystem, str]) -> None:
    before = keys.signing_key().kid
    with acting(proved(Person.objects.get(username="security"))) as act:
        after = rotate_key(act=act)
    assert keys.signing_key().kid == after
    assert {each["kid"] for each in keys.published()["keys"]} == {before, after}
    with clock.frozen(clock.now() + timedelta(days=3)):
        assert {each["kid"] for each in keys.published()["keys"]} == {after}


@pytest.mark.parametrize("address", ["http://water.example.org/cb", "https://water.example.org/cb#x", "javascript:alert(1)"])
def test_an_unsafe_redirect_address_is_not_registered(address: str) -> None:
    with pytest.raises(HaitangError, match="bad_redirect_address"), acting(proved(made("security", "security_administrator"))) as act:
        register_client(act=act, title="x", redirect_uris=[address], scopes=[])


@pytest.mark.parametrize("role", ["administrator", "audit_administrator", "dispatcher"])
def test_only_the_security_administrator_registers_systems(role: str) -> None:
    with pytest.raises(HaitangError, match="not_allowed"), acting(proved(made("other", role))) as act:
        register_client(act=act, title="x", redirect_uris=[BACK], scopes=[])


@pytest.mark.parametrize(("age", "code"), [(5, True), (3600, False)])
def test_a_system_that_wants_a_young_proof_gets_no_code_for_an_old_one(
    browser: Client, system: tuple[ClientSystem, str], age: int, code: bool
) -> None:
    with clock.frozen(clock.now() + timedelta(seconds=age)):
        at = ask(browser, system[0], max_age="600").headers["Location"]
    assert ("code=" in at, at.startswith("/sign-in")) == (code, not code)


def test_a_request_without_an_address_to_go_back_to_is_refused(browser: Client, system: tuple[ClientSystem, str]) -> None:
    assert ask(browser, system[0], redirect_uri=None).status_code == 400
