"""Over a real socket: what an outside client sends never names the asker; only its session does."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from aiohttp import web

from haitang.base import settings
from haitang.base.asker import Asker
from haitang.server.front.app import application
from haitang.server.front.live import TOPICS, _topics
from haitang.server.front.passing import sockets
from haitang.server.front.ready import operators_token

FORGED = [
    {"X-Haitang-Actor": "staff:1"},
    {"x-haitang-actor": "system:setup", "X-Haitang-May": "data.read"},
    {"X_Haitang_Actor": "staff:1"},
    {"Haitang.Asker": "staff:1"},
    {"Cookie": "sessionid=; X-Haitang-Actor=staff:1"},
    {"Authorization": "Bearer staff:1"},
    {"X-Forwarded-User": "staff:1", "Connection": "X-Haitang-Actor", "X-Haitang-Actor": "staff:1"},
]
ANSWERS = {
    "/ready": "for whoever watches the instance; says which part works",
    "/static": "scripts, styles and fonts of the public source",
    "/metrics": "for whoever watches the instance, by session, token or the operator's token; test_figures.py and test_instance.py ask it",
    "/live": "behind the door",
    "/api/data": "behind the door",
    "/api/data/observations": "for devices, each with a credential of its own; listeners/http has its tests",
    "/api/data/observations/openapi.json": "the interface is documented in the public source",
    "/": "control, whose addresses test_doors.py walks",
}
PERSON = {"kind": "staff", "person": "1", "must_change_password": False}
SESSIONS = {
    "reader": {**PERSON, "may": ["data.read"], "may_own": []},
    "own": {**PERSON, "may": ["data.read"], "may_own": ["data.read"]},
    "other": {**PERSON, "may": ["thing.read"], "may_own": []},
    "operator": {**PERSON, "may": ["instance.read"], "may_own": []},
    "new": {**PERSON, "may": ["data.read"], "may_own": [], "must_change_password": True},
}


async def control(request: web.Request) -> web.Response:
    """Stands where Django does: knows some sessions, and tells what reached it otherwise."""
    if request.path == "/api/tokens/self":
        return web.json_response({}, status=401)  # no token is known here
    if request.path != "/api/session":
        return web.json_response(dict(request.headers))
    found = SESSIONS.get(request.cookies.get("sessionid", ""))
    return web.json_response(found) if found else web.json_response({}, status=401)


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    def run(path: str, *headers: dict[str, str]) -> list[httpx.Response]:
        async def go(client: httpx.AsyncClient) -> list[httpx.Response]:
            return [await client.get(path, headers=each) for each in headers]

        return asyncio.run(_behind_a_front(tmp_path, go))

    return run


async def _behind_a_front(folder: Path, go: Callable[[httpx.AsyncClient], Awaitable[list[httpx.Response]]]) -> list[httpx.Response]:
    before = settings.settings()
    settings.use(replace(before, data=folder))
    (folder / "run").mkdir()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", control)
    runner = web.AppRunner(app)
    await runner.setup()
    for each in sockets():
        await web.UnixSite(runner, str(each)).start()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(), log_level="error", proxy_headers=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with httpx.AsyncClient(
            base_url=url, trust_env=False, timeout=60
        ) as client:  # it waits in the line of what listens until it serves
            return await go(client)
    finally:
        server.should_exit = True
        await serving
        await runner.cleanup()
        settings.use(before)


def session(name: str) -> dict[str, str]:
    return {"Cookie": f"sessionid={name}"}


def parts_of(answer: httpx.Response) -> set[str]:
    """What each part of /ready tells."""
    return {key for part in answer.json()["parts"].values() for key in part}


def test_ready_tells_strangers_whether_and_operators_why(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.use(replace(settings.settings(), secret_key="of this instance"))
    operator = {"Authorization": f"Bearer {operators_token('of this instance')}"}
    wrong = {"Authorization": f"Bearer {operators_token('of another')}"}
    stranger, forged, other, administrator, command = ask("/ready", {}, wrong, session("other"), session("operator"), operator)
    assert [parts_of(each) for each in (stranger, forged, other)] == [{"ok"}] * 3
    assert [parts_of(each) for each in (administrator, command)] == [{"ok", "detail"}] * 2


def test_no_header_of_a_client_opens_the_lake(ask: Any) -> None:
    assert [answer.status_code for answer in ask("/api/data/twin", {}, *FORGED)] == [401] * (len(FORGED) + 1)


def test_no_header_gives_a_session_more_than_it_has(ask: Any) -> None:
    answers = ask("/api/data/twin", *({**forged, **session("other")} for forged in FORGED))
    # Who shows a token is asked for the token alone: an unknown one is nobody, whatever the cookie says.
    assert [answer.status_code for answer in answers] == [401 if "Authorization" in forged else 403 for forged in FORGED]


def test_the_front_answers_no_address_that_is_not_named_here() -> None:
    found = {getattr(route, "path", "") or "/": route for route in application().routes}
    assert set(found) == set(ANSWERS)
    assert {f"/{route.path.strip('/').split('/')[0]}" for route in found["/api/data"].routes} == {"/series", "/twin", "/tables"}


@pytest.mark.parametrize("path", ["/series", "/twin", "/tables/blocks", "/tables/%00", "/nothing"])
def test_every_address_of_the_lake_stands_behind_the_door(ask: Any, path: str) -> None:
    assert [answer.status_code for answer in ask(f"/api/data{path}", {}, session("other"))] in ([401, 403], [401, 404])


def test_the_session_decides(ask: Any) -> None:
    reader, own, new, unknown = ask("/api/data/series", *map(session, ("reader", "own", "new", "gone")))
    assert (reader.status_code, reader.json()["error"]) == (400, "lake.bad_parameter")  # past the door: it now lacks its parameters
    assert (own.status_code, new.status_code, unknown.status_code) == (403, 403, 401)


def test_reserved_headers_do_not_reach_control(ask: Any) -> None:
    (answer,) = ask("/cases", {"X-Haitang-Actor": "staff:1", "X-Kept": "1"})
    assert "x-kept" in {name.lower() for name in answer.json()}
    assert not [name for name in answer.json() if name.lower().startswith("x-haitang-")]


def test_the_feed_is_for_who_is_signed_in(ask: Any) -> None:
    assert [answer.status_code for answer in ask("/live", {}, FORGED[0], session("gone"), session("new"))] == [401, 401, 401, 403]


def test_the_feed_tells_only_topics_that_the_reader_may_read() -> None:
    nobody, handler = Asker("staff:1", frozenset()), Asker("staff:2", frozenset({"thing.read"}), frozenset({"case.read"}))
    assert _topics("", nobody) == {"missed", "notice", "seal"}
    assert _topics("", handler) == {"missed", "notice", "seal", "twin", "case"}
    assert _topics("alarm,secrets", handler) == {"missed"}
    assert "secrets" not in TOPICS
