"""The doors of the data plane: what the front answers itself, asked by each role as control says what it may do, and by tokens."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from haitang.base.actions import acting
from haitang.base.asker import ASKER, Asker
from haitang.server.discovery import modules
from haitang.server.front.door import _asker
from haitang.server.front.live import TOPICS, _topics
from haitang.support.security.people.models import Person
from haitang.support.security.tokens.actions import create_own_token
from tests.server.doors.access import askers
from tests.support.security.people.proved import proved

QUERY = {
    "/series": "?thing=a&property=b&statistic=hour mean&start=2026-03-01T00:00:00%2B08:00&end=2026-03-02T00:00:00%2B08:00",
    "/tables/{name}": "?limit=1",
}
READERS = {"auditor", "data_steward", "dispatcher", "duty_officer", "department_head", "handler", "verifier"}
DOORS = {"/series": READERS, "/twin": READERS, "/tables/{name}": READERS}  # a new route names here whom it lets through


def data_routes() -> list[Any]:
    return [route for module in modules("data_api") for route in module.routes]


class As:
    """The data plane's routes behind a door that has looked."""

    def __init__(self, asker: Asker | None) -> None:
        self._app, self._asker = Starlette(routes=[Mount("/api/data", routes=data_routes())]), asker

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app({**scope, ASKER: self._asker}, receive, send)


def status(asker: Asker | None, route: str) -> int:
    address = "/api/data" + route.replace("{name}", "observations") + QUERY.get(route, "")
    return int(TestClient(As(asker)).get(address).status_code)


@pytest.fixture
def told(district: None) -> dict[str, Asker]:
    """Who asks, as control tells the front."""
    return {who: _asker(client.get("/api/session").json()) for who, client in askers().items() if who != "nobody"}


def test_each_route_lets_through_whom_the_table_names(told: dict[str, Asker]) -> None:
    through = {
        route.path: {who.partition("@")[0] for who, asker in told.items() if status(asker, route.path) == 200} for route in data_routes()
    }
    assert through == DOORS


def test_nobody_gets_through(told: dict[str, Asker]) -> None:
    assert {status(None, route.path) for route in data_routes()} == {401}


def test_the_live_feed_tells_only_what_its_reader_may_read(told: dict[str, Asker]) -> None:
    assert _topics("", told["without"]) == {"missed", "notice", "seal"}
    assert set(TOPICS) <= _topics("", told["verifier@own"])
    assert "case" not in _topics("", told["administrator@own"])


@pytest.mark.parametrize(
    ("scopes", "only", "expected"), [(["data.read"], None, 200), (["alarm.read"], None, 403), (["data.read"], ["resource:x"], 403)]
)
def test_a_token_opens_the_data_plane_within_its_scope(
    scopes: list[str], only: list[str] | None, expected: int, told: dict[str, Asker]
) -> None:
    from django.test import Client

    who = Person.objects.get(username="verifier-own")
    with acting(proved(who)) as act:
        _, written = create_own_token(act=act, person=who, title="x", scopes=scopes, only=only, expires_at=act.at + timedelta(days=1))
    answer = Client().get("/api/tokens/self", headers={"Authorization": f"Bearer {written}"})
    assert status(_asker(answer.json()), "/twin") == expected
