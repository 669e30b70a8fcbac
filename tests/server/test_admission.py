"""Overload: a flood of uploads and API requests takes nothing from sign-in and alarms, over real sockets, with a control plane of sixteen threads."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest
import uvicorn
from aiohttp import web
from starlette.applications import Starlette
from starlette.routing import Mount

from haitang.base import settings as base
from haitang.server.front import admission, guarded
from haitang.server.front.admission import LINES, Budget
from haitang.server.front.passing import Control
from haitang.support.infrastructure.listeners.places import Places
from tests.waiting import until

THREADS = 16


class SlowControl:
    """A control plane on a Unix socket: it works on bulk requests until it is let. Notes how many it works on at once."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.Response:
        kind = "bulk" if request.path.startswith("/bulk") else "other"
        self.now[kind] += 1
        self.most[kind] = max(self.most[kind], self.now[kind])
        self.most["all"] = max(self.most["all"], self.now.total())
        await request.read()
        if kind == "bulk":
            await self.let.wait()
        self.now[kind] -= 1
        return web.Response(text="done")


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[int, SlowControl]]:
    slow = SlowControl()
    app = web.Application(client_max_size=50 << 20)
    app.router.add_route("*", "/{tail:.*}", slow.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "s")).start()
    async with Control(folder / "s", budget=Budget(THREADS)) as control:
        config = uvicorn.Config(Starlette(routes=[Mount("/", control.application)]), log_level="warning", lifespan="off")
        config.load()
        config.http_protocol_class = guarded.guarded(config.http_protocol_class)
        server = uvicorn.Server(config)
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        listening = socket.create_server(("127.0.0.1", 0))
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            await until(lambda: server.started)
            yield int(listening.getsockname()[1]), slow
        finally:
            slow.let.set()
            server.should_exit = True
            await running
            await runner.cleanup()


def play(folder: Path, work: Callable[[int, SlowControl], Awaitable[Any]], **limits: int) -> Any:
    async def run() -> Any:
        async with served(folder) as (port, slow):
            return await work(port, slow)

    before = base.settings()
    base.use(replace(before, **limits))  # type: ignore[arg-type]
    try:
        with patch.object(guarded, "_places", Places()):
            return asyncio.run(run())
    finally:
        base.use(before)


def client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        trust_env=False,
        timeout=60,
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
    )


async def urgent_is_answered(port: int) -> None:
    """Sign-in and alarms, asked one after another."""
    async with client(port) as asking:
        for n in range(20):
            body = {"data": {"username": "x", "password": "y"}} if n % 2 else {}
            answer = await asking.request("POST" if n % 2 else "GET", "/sign-in" if n % 2 else "/alarms", **body)
            assert answer.status_code == 200


def refused(flood: Iterable[asyncio.Task[httpx.Response]]) -> int:
    return sum(each.done() and each.result().status_code == 503 for each in flood)


def test_a_flood_of_uploads_and_tokens_starves_neither_sign_in_nor_alarms(tmp_path: Path) -> None:
    async def work(port: int, slow: SlowControl) -> None:
        async with client(port) as flooding:
            flood = [asyncio.create_task(flooding.post("/bulk/upload", content=b"x" * (1 << 20))) for _ in range(60)]
            flood += [asyncio.create_task(flooding.get("/bulk/rows", headers={"Authorization": "Bearer t"})) for _ in range(60)]
            await until(lambda: slow.now["bulk"] == THREADS // 4 and refused(flood) >= 120 - LINES["bulk"] - THREADS // 4)
            await urgent_is_answered(port)
            assert slow.now["bulk"] == THREADS // 4, "all of the room of the flood was taken the whole time"
            slow.let.set()
            told = await asyncio.gather(*flood)
        assert slow.most["bulk"] <= THREADS // 4
        assert {each.status_code for each in told} == {200, 503}, "whoever finds no room is told so"
        assert all(int(each.headers["Retry-After"]) > 0 for each in told if each.status_code == 503)

    play(tmp_path, work)


def test_ordinary_pages_leave_a_quarter_to_what_is_urgent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(admission.PATIENCE, "ordinary", 120.0)  # however long the urgent ones take

    async def work(port: int, slow: SlowControl) -> None:
        async with client(port) as flooding:
            pages = [asyncio.create_task(flooding.get("/bulk-like-page")) for _ in range(60)]
            await until(lambda: slow.now["bulk"] == THREADS * 3 // 4)
            await urgent_is_answered(port)
            assert slow.now["bulk"] == THREADS * 3 // 4
            slow.let.set()
            assert {each.status_code for each in await asyncio.gather(*pages)} == {200}, "they wait for their turn"
        assert slow.most["bulk"] <= THREADS * 3 // 4

    play(tmp_path, work)


def test_who_sends_a_small_body_in_drops_holds_no_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "SLOW", 600.0)  # an urgent request that waited for one of these threads would be refused first

    async def work(port: int, slow: SlowControl) -> None:
        head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nContent-Type: application/json\r\n\r\n{"
        slow_ones = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        for _, writer in slow_ones:
            writer.write(head)
        await asyncio.sleep(0.3)
        assert slow.now.total() == 0
        await urgent_is_answered(port)
        for _, writer in slow_ones:
            writer.close()

    play(tmp_path, work)


def test_a_head_in_drops_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "HEAD", 3.0)

    async def work(port: int, slow: SlowControl) -> None:
        kept, again = await asyncio.open_connection("127.0.0.1", port)
        again.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await asyncio.wait_for(kept.read(15), 60)).startswith(b"HTTP/1.1 200")
        monkeypatch.setattr(guarded, "HEAD", 0.5)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        assert await asyncio.wait_for(reader.read(), 60) == b""
        again.write(b"GET / HTT")
        assert b"HTTP/1.1 4" not in await asyncio.wait_for(kept.read(), 60)
        again.close()

    play(tmp_path, work)


def test_one_connection_too_many_is_told_when_to_come_again(tmp_path: Path) -> None:
    async def work(port: int, slow: SlowControl) -> None:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        await until(lambda: guarded.there() == 5)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        told = await asyncio.wait_for(reader.read(), 60)
        assert told.startswith(b"HTTP/1.1 503")
        assert b"Retry-After: 5" in told
        writer.close()
        held[0][1].close()
        await until(lambda: guarded.there() == 4)
        async with client(port) as asking:
            assert (await asking.get("/")).status_code == 200
        for _, other in held:
            other.close()

    play(tmp_path, work, page_connections_of_address=5)
