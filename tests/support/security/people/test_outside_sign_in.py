"""Signing in by an outside provider: oidc-provider, a certified one, over real sockets."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client

from haitang.base import settings as ours
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Person
from tests.peers import needs_peers, peer
from tests.ports import free_port
from tests.support.security.people.proved import made

pytestmark = [pytest.mark.django_db, pytest.mark.peers]
BACK = "http://127.0.0.1:8000/sign-in/outside/done"
SECRET = "a secret of tests"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    needs_peers()
    port = free_port()
    with peer("provider.mjs", str(port), "haitang", SECRET, BACK, "http://127.0.0.1:8000/sign-in"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(autouse=True)
def _set_up(provider: str) -> Iterator[None]:
    before = ours.settings()
    ours.use(
        replace(
            before, public_url="http://127.0.0.1:8000", oidc_issuer=provider, oidc_client_id="haitang", oidc_client_secret=SECRET,
            oidc_title="区统一身份认证", oidc_link="employee_number=staff_number", oidc_scope="openid profile",
        )
    )  # fmt: skip
    yield
    ours.use(before)


def at_the_provider(url: str, who: str) -> str:
    """Sign in and agree on the provider's own pages, as a browser would; where it sends the browser back to."""
    with httpx.Client(trust_env=False, timeout=60) as browser:
        answer = browser.get(url)
        for _ in range(12):
            if answer.is_redirect:
                target = str(answer.next_request.url) if answer.next_request else ""
                if target.startswith(BACK):
                    return target
                answer = browser.get(target)
                continue
            form = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert form, answer.text[:500]
            assert prompt, answer.text[:500]
            answer = browser.post(str(answer.url.join(form[1])), data={"prompt": prompt[1], "login": who, "password": "any"})
    raise AssertionError("the provider never sent the browser back")


def through(client: Client, who: str, **change: str) -> Any:
    begun = client.get("/sign-in/outside?next=/account")
    back = urlsplit(at_the_provider(begun.headers["Location"], who))
    query = {**dict(part.split("=", 1) for part in back.query.split("&")), **change}
    return client.get(f"{back.path}?{'&'.join(f'{k}={v}' for k, v in query.items())}")


def test_a_member_of_staff_signs_in_by_their_staff_number() -> None:
    wang = made("wangli", "dispatcher", staff_number="1001")
    client = Client()
    assert "区统一身份认证" in client.get("/sign-in").content.decode()
    assert through(client, "1001").headers["Location"] == "/account"
    assert client.get("/api/session").json()["roles"] == ["dispatcher"]
    assert EvidenceRecord.objects.filter(action="people.sign_in", subject_id=str(wang.pk)).get().facts == {"by": "oidc"}


def test_nobody_is_created_and_nobody_becomes_an_administrator() -> None:
    answer = through(Client(), "9999")
    assert (answer.status_code, Person.objects.count()) == (403, 0)


@pytest.mark.parametrize("who", [{"is_active": False}, {"kind": "enterprise", "username": "1001", "staff_number": None}])
def test_only_active_staff_are_led_to(who: dict[str, object]) -> None:
    Person.objects.create(**{"username": "x", "name": "x", "staff_number": "1001", **who})
    assert through(Client(), "1001").status_code == 403


@pytest.mark.parametrize("change", [{"state": "another"}, {"code": "another"}, {"iss": "http%3A%2F%2Fevil.example"}])
def test_what_was_changed_on_the_way_is_refused(change: dict[str, str]) -> None:
    made("wangli", staff_number="1001")
    client = Client()
    assert through(client, "1001", **change).status_code == 401
    assert client.get("/api/session").status_code == 401


def test_what_came_back_counts_once_and_in_the_browser_that_asked() -> None:
    made("wangli", staff_number="1001")
    client = Client()
    back = urlsplit(at_the_provider(client.get("/sign-in/outside").headers["Location"], "1001"))
    assert Client().get(f"{back.path}?{back.query}").status_code == 401
    assert client.get(f"{back.path}?{back.query}").status_code == 302
    assert client.get(f"{back.path}?{back.query}").status_code == 401


def test_another_nonce_is_refused() -> None:
    made("wangli", staff_number="1001")
    client = Client()
    begun = client.get("/sign-in/outside").headers["Location"]
    session = client.session
    session["outside_flow"] = {**session["outside_flow"], "nonce": "another"}
    session.save()
    back = urlsplit(at_the_provider(begun, "1001"))
    assert client.get(f"{back.path}?{back.query}").status_code == 401


def test_a_factor_of_ours_is_asked_all_the_same() -> None:
    from tests.support.security.people.test_factors import enrolled

    enrolled(made("wangli", staff_number="1001"))
    assert through(Client(), "1001").headers["Location"] == "/sign-in/factor?next=%2Faccount"


def test_signing_out_leads_to_the_provider_too() -> None:
    made("wangli", staff_number="1001")
    client = Client()
    through(client, "1001")
    at = client.post("/sign-out").headers["Location"]
    assert at.startswith(f"{ours.settings().oidc_issuer}/session/end?id_token_hint=")
    assert httpx.get(at, trust_env=False, timeout=60).status_code == 200


def test_a_provider_that_is_away_is_said_to_be() -> None:
    ours.use(replace(ours.settings(), oidc_issuer="http://127.0.0.1:9"))
    assert Client().get("/sign-in/outside").status_code == 502
