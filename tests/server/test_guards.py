"""What the front refuses and what it tells browsers: bodies too large, too many requests, where scripts may come from."""

import asyncio
import functools
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import xlsxwriter
from aiohttp import web
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from haitang.base.errors import HaitangError
from haitang.base.settings import settings, use
from haitang.base.shell.export import plain
from haitang.base.workbooks import UnpackedTooLargeError, check_workbook
from haitang.server.front import throttle
from haitang.server.front.headers import Headers
from haitang.server.front.passing import FROM_STRANGERS, Control
from haitang.server.front.throttle import KNOWN, Buckets, Throttle
from haitang.support.security.people.joining import roster

Ask = Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]


@pytest.fixture
def set_to() -> Iterator[Any]:
    before = settings()
    yield lambda **more: use(replace(before, **more))
    use(before)


async def _control(request: web.Request) -> web.StreamResponse:
    """Knows one session, and counts what it is sent."""
    if request.path == "/api/session":
        return web.json_response({}, status=200 if "known" in request.headers.get("Cookie", "") else 401)
    if request.path == "/sandboxed":
        return web.Response(headers={"Content-Security-Policy": "sandbox"})
    size = 0
    async for piece in request.content.iter_chunked(1 << 20):
        size += len(piece)
    return web.json_response({"size": size})


def ask(tmp_path: Path, how: Ask, rate: int = 0) -> httpx.Response:
    async def go() -> httpx.Response:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", _control)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.UnixSite(runner, str(tmp_path / "s")).start()
        async with Control(tmp_path / "s") as control:
            guards = [Middleware(Headers, settings=settings()), Middleware(Throttle, rate=rate)]
            front = Starlette(routes=[Mount("/", control.application)], middleware=guards)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(front), base_url="http://haitang.example") as client:
                answer = await how(client)
        await runner.cleanup()
        return answer

    return asyncio.run(go())


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(1 << 20)


def test_a_stranger_sends_no_more_than_a_little(tmp_path: Path) -> None:
    assert ask(tmp_path, lambda c: c.post("/sign-in", content=bytes(FROM_STRANGERS))).json()["size"] == FROM_STRANGERS
    assert ask(tmp_path, lambda c: c.post("/sign-in", content=bytes(FROM_STRANGERS + 1))).status_code == 413
    chunked = ask(tmp_path, lambda c: c.post("/sign-in", content=pieces((FROM_STRANGERS >> 20) + 4), headers={"Cookie": "no=1"}))
    assert chunked.status_code == 413


def test_who_is_signed_in_sends_large_files_up_to_the_setting(tmp_path: Path, set_to: Any) -> None:
    set_to(upload_megabytes=20)
    known = {"Cookie": "known=1"}
    assert ask(tmp_path, lambda c: c.post("/x", content=pieces(18), headers=known)).json()["size"] == 18 << 20
    assert ask(tmp_path, lambda c: c.post("/x", content=pieces(21), headers=known)).status_code == 413


def test_browsers_are_told_to_run_no_script_but_ours(tmp_path: Path, set_to: Any) -> None:
    told = ask(tmp_path, lambda c: c.get("/x")).headers
    csp = dict(part.strip().split(" ", 1) for part in told["content-security-policy"].split(";"))
    assert (csp["script-src"], csp["object-src"], csp["base-uri"], csp["frame-ancestors"]) == ("'self'", "'none'", "'none'", "'none'")
    assert (told["x-content-type-options"], told["x-frame-options"]) == ("nosniff", "DENY")
    assert "strict-transport-security" not in told
    assert ask(tmp_path, lambda c: c.get("/sandboxed")).headers["content-security-policy"] == "sandbox"
    set_to(public_url="https://district.example", tiles_url="https://tiles.example/{z}/{x}/{y}.png")
    told = ask(tmp_path, lambda c: c.get("/x")).headers
    assert told["strict-transport-security"] == "max-age=31536000"
    assert "https://tiles.example" in told["content-security-policy"]


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "Buckets", lambda rate: Buckets(rate, lambda: 0.0))  # however long the requests take

    async def often(client: httpx.AsyncClient) -> httpx.Response:
        return [await client.get("/x") for _ in range(12)][-1]

    answer = ask(tmp_path, often, rate=2)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert ask(tmp_path, often).status_code == 200


def test_a_bucket_fills_again_and_remembers_so_many_addresses_only() -> None:
    now = [0.0]
    buckets = Buckets(10, lambda: now[0])
    assert [buckets.take("a") for _ in range(20)] == [0.0] * 20
    assert buckets.take("a") == pytest.approx(0.1)
    assert buckets.take("b") == 0
    now[0] = 0.5
    assert [buckets.take("a") > 0 for _ in range(6)] == [False] * 5 + [True]
    for n in range(KNOWN + 10):
        buckets.take(str(n))
    assert len(buckets._left) == KNOWN


@functools.cache
def _bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as made, made.open("xl/worksheets/sheet1.xml", "w") as sheet:
        for _ in range(600):
            sheet.write(bytes(1 << 20))
    return out.getvalue()


def bomb(said: int | None = None) -> bytes:
    """A workbook whose sheet unpacks to 600 MB, or says that it is smaller."""
    content = _bomb()
    if said is not None:
        content = content.replace((600 << 20).to_bytes(4, "little"), said.to_bytes(4, "little"))
    return content


@pytest.mark.parametrize("said", [None, 1000])
def test_a_workbook_that_unpacks_beyond_measure_is_refused_before_it_is_read(said: int | None) -> None:
    content = bomb(said)
    assert len(content) < roster.LARGEST
    with pytest.raises(UnpackedTooLargeError):
        check_workbook(io.BytesIO(content))
    with pytest.raises(HaitangError, match="not_a_workbook"):
        roster.read(content)


def test_a_workbook_as_people_make_them_is_not() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    book.add_worksheet().write_row(0, 0, ["工号", "姓名"])
    book.close()
    check_workbook(out)
    check_workbook(io.BytesIO(b"no archive at all"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum(a1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＠x"])
def test_no_exported_cell_is_a_formula(text: str) -> None:
    assert plain(text) == f"'{text}"
    assert plain(-5) == -5
    assert plain("大足区") == "大足区"
