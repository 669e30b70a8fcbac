"""The front passes requests on, against a real server on a Unix socket."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import Mount

from haitang.server.front.passing import AT_ONCE, Control


async def sized(request: web.Request) -> web.Response:
    return web.Response(body=b"x" * int(request.match_info["size"]))


async def echo(request: web.Request) -> web.Response:
    if request.path == "/away":
        return web.Response(status=503, headers={"X-Haitang-Away": "database"})
    body = await request.read()
    told = {"path": request.raw_path, "headers": dict(request.headers), "size": len(body), "method": request.method}
    answer = web.json_response(told, status=201)
    answer.headers.update({"Keep-Alive": "timeout=5", "X-Kept": "yes"})
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


def through(tmp_path: Path, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]], *, upstream: bool = True) -> httpx.Response:
    async def go() -> httpx.Response:
        app = web.Application(client_max_size=10 << 20)
        app.router.add_get("/sized/{size}", sized)
        app.router.add_route("*", "/{tail:.*}", echo)
        runner = web.AppRunner(app)
        await runner.setup()
        if upstream:
            await web.UnixSite(runner, str(tmp_path / "s")).start()
        async with Control(tmp_path / "s") as control:
            front = Starlette(routes=[Mount("/", control.application)])
            transport = httpx.ASGITransport(front, client=("203.0.113.9", 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://haitang.example") as client:
                answer = await ask(client)
        await runner.cleanup()
        return answer

    return asyncio.run(go())


def test_path_and_query_arrive_as_sent(tmp_path: Path) -> None:
    answer = through(tmp_path, lambda c: c.get("/cases/%E6%A1%88?next=%2Fa%2Fb&x=1"))
    assert answer.json()["path"] == "/cases/%E6%A1%88?next=%2Fa%2Fb&x=1"


def test_forged_forwarding_headers_are_replaced(tmp_path: Path) -> None:
    answer = through(tmp_path, lambda c: c.get("/", headers={"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"}))
    headers = answer.json()["headers"]
    assert headers["X-Forwarded-For"] == "203.0.113.9"
    assert headers["X-Forwarded-Proto"] == "http"
    assert headers["X-Forwarded-Host"] == "haitang.example"


def test_hop_by_hop_headers_end_here(tmp_path: Path) -> None:
    answer = through(tmp_path, lambda c: c.get("/", headers={"Connection": "X-Private", "X-Private": "1", "TE": "trailers"}))
    assert "X-Private" not in answer.json()["headers"]
    assert "TE" not in {name.upper() for name in answer.json()["headers"]}
    assert "keep-alive" not in answer.headers
    assert answer.headers["x-kept"] == "yes"


def test_every_cookie_comes_back(tmp_path: Path) -> None:
    answer = through(tmp_path, lambda c: c.get("/"))
    assert len(answer.headers.get_list("set-cookie")) == 2


def test_a_streamed_body_arrives_whole(tmp_path: Path) -> None:
    async def parts():  # type: ignore[no-untyped-def]
        for _ in range(40):
            yield b"x" * 50_000

    answer = through(tmp_path, lambda c: c.post("/upload", content=parts()))
    assert answer.status_code == 201
    assert answer.json()["size"] == 2_000_000


@pytest.mark.parametrize("size", [1, AT_ONCE, AT_ONCE + 1])
@pytest.mark.parametrize(("method", "part"), [("GET", 1), ("HEAD", 0)])
def test_an_answer_of_any_size_arrives_whole_with_its_length(tmp_path: Path, size: int, method: str, part: int) -> None:
    answer = through(tmp_path, lambda c: c.request(method, f"/sized/{size}"))
    assert (answer.status_code, answer.headers["content-length"], len(answer.content)) == (200, str(size), size * part)


def test_a_control_plane_that_is_away_is_told_as_a_page(tmp_path: Path) -> None:
    answer = through(tmp_path, lambda c: c.get("/", headers={"Accept": "text/html"}), upstream=False)
    assert answer.status_code == 503
    assert "正在启动" in answer.text
    assert answer.headers["retry-after"] == "3"


def test_a_database_that_is_away_is_told_in_words_and_when_to_come_again(tmp_path: Path) -> None:
    page = through(tmp_path, lambda c: c.get("/away", headers={"Accept": "text/html"}))
    assert (page.status_code, page.headers["Retry-After"]) == (503, "3")
    assert "数据库暂时不可用" in page.text
    assert "X-Haitang-Away" not in page.headers
    assert through(tmp_path, lambda c: c.get("/away")).json()["code"] == "server.control_unavailable"


_asked: list[asyncio.Event] = []


async def _named(socket: Path, name: str) -> web.AppRunner:
    """A process of the control plane that answers with its name, at /slow only when it is let."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/slow":
            _asked.append(asyncio.Event())
            await _asked[0].wait()
        return web.Response(text=name)

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    return runner


def test_a_request_goes_to_the_process_that_has_the_fewest(tmp_path: Path) -> None:
    async def go() -> tuple[list[str], list[str]]:
        runners = [await _named(tmp_path / name, name) for name in ("a", "b")]
        async with Control(tmp_path / "a", tmp_path / "b") as control:
            front = httpx.ASGITransport(Starlette(routes=[Mount("/", control.application)]))
            async with httpx.AsyncClient(transport=front, base_url="http://haitang.example") as client:
                idle = [(await client.get("/")).text for _ in range(4)]
                slow = asyncio.create_task(client.get("/slow"))
                while not _asked:
                    await asyncio.sleep(0.01)
                busy = [(await client.get("/")).text for _ in range(4)]
                _asked.pop().set()
                assert (await slow).text != busy[0]
        for runner in runners:
            await runner.cleanup()
        return idle, busy

    idle, busy = asyncio.run(go())
    assert sorted(idle) == ["a", "a", "b", "b"]
    assert len(set(busy)) == 1
