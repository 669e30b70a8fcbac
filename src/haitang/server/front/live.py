"""`GET /live`: what `act.announce` told, fanned out to open pages as server-sent events.

An event is `id: <n>`, `event: <topic>`, `data: <JSON>`. A page that reconnects with `Last-Event-ID` gets what it missed, if that is still in the
buffer; else an event `missed` tells it to load afresh.
"""

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, Self

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from haitang.server.front.passing import Control

CHANNEL = "haitang_live"
KEPT = 1000
WAITING = 500
HEARTBEAT = 15.0


class Event(NamedTuple):
    id: int
    topic: str
    data: str

    def wire(self) -> str:
        return f"id: {self.id}\nevent: {self.topic}\ndata: {self.data}\n\n"


class Live:
    """Listens to the database once and serves every page."""

    def __init__(self, database_url: str, control: Control) -> None:
        self._url, self._control = database_url, control
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._pages: set[asyncio.Queue[Event | None]] = set()
        # Ids go on from the clock, so that an id of the front's life before is told from one of this.
        self._next = int(time.time() * 1000)
        self._first = self._next
        self._listener: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._listener = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._listener:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
        self._end_pages()

    async def endpoint(self, request: Request) -> Response:
        headers = {"Cookie": request.headers.get("cookie", "")}
        status, _ = await self._control.ask("/api/session", headers)
        if status != 200:
            text = "请先登录。" if status == 401 else "暂时无法确认登录状态，请稍候再试。"
            return JSONResponse({"code": "server.live_refused", "message": text}, 401 if status == 401 else 503)
        wanted = frozenset(t for t in request.query_params.get("topics", "").split(",") if t)
        last = request.headers.get("last-event-id") or request.query_params.get("last") or ""
        return StreamingResponse(
            self._stream(wanted, int(last) if last.isascii() and last.isdigit() else None),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _stream(self, wanted: frozenset[str], last: int | None) -> AsyncIterator[str]:
        waiting: asyncio.Queue[Event | None] = asyncio.Queue(WAITING)
        missed = self._since(last)
        self._pages.add(waiting)
        try:
            yield "retry: 2000\n\n"
            for event in missed:
                if not wanted or event.topic in wanted or event.topic == "missed":
                    yield event.wire()
            while True:
                try:
                    got = await asyncio.wait_for(waiting.get(), HEARTBEAT)
                except TimeoutError:
                    yield ": alive\n\n"
                    continue
                if got is None:
                    return
                if not wanted or got.topic in wanted or got.topic == "missed":
                    yield got.wire()
        finally:
            self._pages.discard(waiting)

    def _since(self, last: int | None) -> list[Event]:
        if last is None:
            return []
        oldest = self._kept[0].id if self._kept else self._next
        if last < oldest - 1:
            return [Event(self._next - 1, "missed", "{}")]
        return [event for event in self._kept if event.id > last]

    def _tell(self, topic: str, data: str) -> None:
        event = Event(self._next, topic, data)
        self._next += 1
        self._kept.append(event)
        for page in list(self._pages):
            try:
                page.put_nowait(event)
            except asyncio.QueueFull:  # too slow: it reconnects with its last id
                self._pages.discard(page)
                page.get_nowait()
                page.put_nowait(None)

    def _end_pages(self) -> None:
        for page in self._pages:
            if page.full():
                page.get_nowait()
            page.put_nowait(None)

    async def _listen(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True, connect_timeout=5) as connection:
                    await connection.execute(f"listen {CHANNEL}")
                    async for notice in connection.notifies():
                        self._tell(*_read(notice.payload))
            except psycopg.Error:
                await asyncio.sleep(1)
                self._tell("missed", "{}")  # what was announced meanwhile is not known


def _read(payload: str) -> tuple[str, str]:
    """Topic and data of a notification `{"topic": ..., "payload": ...}`."""
    try:
        told: dict[str, Any] = json.loads(payload)
        return str(told["topic"]), json.dumps(told.get("payload", {}), ensure_ascii=False)
    except (ValueError, KeyError, TypeError):
        return "missed", "{}"
