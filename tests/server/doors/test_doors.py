"""Deny by default, proved for every address there is: a new route that says nothing of who may open it fails here.

Whoever adds a route gives its parameters a sample (`SAMPLES` in conftest.py); only if it truly needs no permission does it stand in a list below,
with the reason.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from haitang.base import clock
from tests.server.doors.conftest import Clients, EveryRole
from tests.server.doors.routes import Route, routes

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PUBLIC = {
    "GET sign-in/outside": "the way in by an outside provider, where one is set up",
    "GET sign-in/outside/done": "back from the outside provider; what it says is checked",
    "GET .well-known/openid-configuration": "published, so that systems find our addresses (OpenID Connect Discovery)",
    "GET oidc/jwks": "public keys are published",
    "GET oidc/authorize": "sends who is not signed in to sign in; says what is wrong with the request",
    "POST oidc/authorize": "the consent of who is signed in",
    "POST oidc/token": "a client system authenticates by its secret",
    "GET oidc/userinfo": "the bearer token is the permission",
    "POST oidc/userinfo": "the bearer token is the permission",
    "GET oidc/end-session": "ends a session, or nothing",
    "POST oidc/end-session": "ends a session, or nothing",
    "GET sign-in/factor": "the second step of signing in; who has not taken the first is sent back",
    "POST sign-in/factor": "the second step of signing in",
    "POST sign-in/passkey/options": "what a browser asks a passkey; says nothing of who exists",
    "POST sign-in/passkey": "the way in; what the passkey answered is checked",
    "GET invitation/<token>": "the way in of who was invited; the one-time token is the permission",
    "GET wall/open": "the way in of a screen on a wall; the one-time code is the permission",
    "POST wall/open": "the way in of a screen on a wall; the one-time code is the permission",
    "POST prove": "asks who is signed in; refuses everybody else",
    "GET sign-in": "the way in",
    "POST sign-in": "the way in; what was typed is checked",
    "POST sign-out": "ends a session, or nothing",
    "POST language": "keeps a cookie with the reader's language",
    "GET place/emblem": "stands on the sign-in page",
    "GET demo/progress": "how far the made-up data of a demonstration are; empty elsewhere",
    "GET api/": "nothing stands there",
    "GET api/alive": "says that control answers, and the digest of the release",
    "GET api/evidence/roots": "roots and keys are published, so that anyone can hold us to them",
    "GET api/evidence/days": "signed roots are published, so that anyone can hold us to them",
    "POST api/evidence/downstream": "a node below has no account here; only a root signed by a key admitted before is kept",
    "GET evidence/roots": "roots and keys are published, so that anyone can hold us to them",
    **{
        f"{method} {way}": "whoever holds a receipt may check it; nothing is kept"
        for method in ("GET", "POST")
        for way in ("evidence/check", "R/<text>")
    },
    "GET api/evidence/seals": "the chain that the roots are part of",
    **{f"{method} api/openapi.json": "the interface is documented in the public source" for method in METHODS},
}
SIGNED_IN = {
    "GET ": "sends on to the inbox whom the cockpit is not for",
    "GET api/session": "who I am, what I may do",
    "DELETE api/session": "one's own session",
    "GET password": "one's own password",
    "POST password": "one's own password; the present one is asked for",
    "GET account": "one's own account",
    **{
        f"{method} account/factors{rest}": "one's own second factors"
        for method, rest in (
            ("GET", ""),
            ("POST", "/authenticator"),
            ("POST", "/passkey/options"),
            ("POST", "/passkey"),
            ("POST", "/codes"),
            ("POST", "/<id>/remove"),
        )
    },
    "POST prove/passkey": "one's own proof",
    "GET account/delegations": "one's own duties are one's own to delegate",
    "POST account/delegations": "one's own duties are one's own to delegate",
    "POST account/delegations/oneself": "back to one's own work",
    "POST account/delegations/<id>/end": "one's own delegation; another's is not found",
    "POST account/delegations/<id>/act": "a delegation to oneself; another's is not found",
    "POST account/sessions/end": "ends one's own other sessions",
    "POST account/sessions/<id>/end": "ends a session of one's own; another's is not found",
    "GET evidence/mine": "one's own acts",
    "GET inbox": "one's own notices",
    "GET inbox/count": "one's own notices",
    "GET inbox/channels": "by which ways one wants to be told",
    "POST inbox/channels": "by which ways one wants to be told",
    "POST inbox/seen": "one's own notices",
    "GET api/notices": "one's own notices",
    "GET api/notices/channels": "one's own notices",
    "GET notices/batch/<batch>/open": "leads to what the notice is about, which has its own permission",
    "GET notices/<id>/open": "one's own notice; another's is not found",
    "GET people/roles": "what each role may do; names nobody",
    "GET why": "one's own permissions",
    "GET why/<code>": "one's own refusal; another's is not found",
    "GET api/why/<code>": "one's own refusal; another's is not found",
    "GET tokens": "one's own tokens",
    "POST tokens": "one's own token; refused for its empty scope before anybody is asked",
    "GET api/tokens": "one's own tokens",
    "GET api/tokens/self": "the token that the request carries; here none",
    "GET search": "finds only what the reader may read",
}
UNUSUAL = {
    "gather/sources/<id>": 404,  # the shipped place declares no source
    "sign-in/outside": 404,  # no provider is set up
    "sign-in/outside/done": 401,  # nobody was sent
    "oidc/authorize": 400,  # names no client system
    "oidc/userinfo": 401,  # no token
    "invitation/<token>": 404,  # no invitation waits
    "people/import/<id>": 404,  # no roster waits
    "api/": 404,  # nothing stands there
    "api/cases/statistics": 422,  # wants a period
    "api/evidence/records/<ref>/receipt": 409,  # the record is not sealed yet
    "evidence/receipts/<ref>/file": 409,
    "api/tokens/self": 404,  # asked without a token
    "place/emblem": 404,  # the shipped place has none
}
REFUSED = {401, 403, 405}
LOOKED_AT_FIRST = {400, 404, 409, 415, 422}  # a write that is refused for its empty body before anybody is asked: nothing is shown or done
ODD = ("\0", "²", "-1", "9" * 30, "0001-01-01T00:00:00Z", "'\"<x>%")
NAMES = (
    "q", "page", "size", "limit", "offset", "sort", "column", "status", "severity", "stage", "kind", "organization", "origin", "rule", "thing",
    "standing", "open", "mine", "overdue", "soon", "since", "until", "by", "before", "subject", "days", "dimension", "member", "device", "colour",
    "cases", "x", "y", "range", "statistic", "period", "most", "seen", "unseen", "next", "action", "unsealed", "sent", "face",
    "who", "resource", "purpose", "search", "rows", "denials",
)  # fmt: skip
COUNTS = Path(__file__).with_name("query_counts.json")


@pytest.fixture(scope="module")
def every() -> list[Route]:
    return routes()


def ask(client: Client | EveryRole, method: str, address: str) -> Any:
    return client.generic(
        method, address, content_type="application/json" if address.startswith("/api/") else "application/x-www-form-urlencoded"
    )


def admitted(answer: Any, method: str, *, sign_in: bool) -> bool:
    """Whether an answer is more than a refusal."""
    if answer.status_code in REFUSED or (method != "GET" and answer.status_code in LOOKED_AT_FIRST):
        return False
    return not (sign_in and answer.status_code == 302 and answer["Location"].startswith("/sign-in"))


def opened(client: Client, every: list[Route], samples: dict[str, str], *, sign_in: bool = False) -> set[str]:
    found = set()
    for route in every:
        for method in METHODS:
            answer = ask(client, method, route.address(samples))
            assert answer.status_code < 500, f"{method} {route.pattern}: {answer.status_code}"
            if admitted(answer, method, sign_in=sign_in):
                found.add(f"{method} {route.pattern}")
    return found


def test_every_parameter_of_every_address_has_a_sample(every: list[Route], samples: dict[str, str]) -> None:
    assert {key for route in every for key in route.sampled()} - set(samples) == set()


def test_nobody_gets_only_what_is_public(every: list[Route], samples: dict[str, str], clients: Clients) -> None:
    assert opened(clients.nobody, every, samples, sign_in=True) - {"GET api/session"} <= set(PUBLIC)


def test_a_person_without_a_role_gets_only_what_is_everybodys(every: list[Route], samples: dict[str, str], clients: Clients) -> None:
    with_session = [
        route
        for route in every
        if route.pattern not in ("sign-out", "oidc/end-session", "api/session", "personas/<role>", "api/personas/<role>")
    ]
    assert opened(clients.without, with_session, samples) <= set(PUBLIC) | set(SIGNED_IN)


def test_who_holds_every_role_opens_every_address(every: list[Route], samples: dict[str, str], clients: Clients) -> None:
    """Else a refusal above would prove nothing: the samples are real."""
    shown = {route.pattern: ask(clients.everything, "GET", route.address(samples)).status_code for route in every}
    assert {pattern: status for pattern, status in shown.items() if status not in (200, 302, 405)} == UNUSUAL


def test_the_lists_name_only_addresses_that_there_are(every: list[Route]) -> None:
    assert {entry.partition(" ")[2] for entry in (*PUBLIC, *SIGNED_IN)} <= {route.pattern for route in every}


def test_an_empty_district_shows_every_page(every: list[Route], clients: Clients) -> None:
    shown = {route.pattern: clients.everything.get(route.address({})).status_code for route in every if not route.has_parameters}
    assert {pattern: status for pattern, status in shown.items() if status not in (200, 302, 405, UNUSUAL.get(pattern))} == {}


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_nothing_that_is_typed_in_an_address_breaks_it(odd: str, every: list[Route], samples: dict[str, str], clients: Clients) -> None:
    from urllib.parse import quote

    broken = {}
    for route in every:
        address = route.address(samples)
        for asked in [address, *([route.odd_address(quote(odd, safe=""))] if route.has_parameters else [])]:
            answer = clients.everything.get(asked, dict.fromkeys(NAMES, odd))
            if answer.status_code >= 500:
                broken[asked] = answer.status_code
    assert broken == {}


def test_a_page_asks_the_database_no_more_often_than_it_did(every: list[Route], samples: dict[str, str], clients: Clients) -> None:
    """query_counts.json may only shrink; what must grow is written down on purpose: HAITANG_UPDATE_COUNTS=1.

    Each page is asked twice and the second time is counted, when what a process keeps is there.
    """
    counted = {}
    with clock.frozen(clock.now()):  # once a minute a session notes that its person did something, which is a query more
        for route in every:
            address = route.address(samples)
            clients.everything.get(address)
            with CaptureQueriesContext(connection) as asked:
                status = clients.everything.get(address).status_code
            if status == 200:
                counted[route.pattern] = len(asked)
    if os.environ.get("HAITANG_UPDATE_COUNTS"):
        COUNTS.write_text(json.dumps(counted, indent=1) + "\n", "utf-8")
    known = json.loads(COUNTS.read_text("utf-8"))
    assert {pattern: count for pattern, count in counted.items() if count > known.get(pattern, -1)} == {}
    assert set(known) == set(counted)
