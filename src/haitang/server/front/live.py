"""`GET /live`: what `act.announce` told, fanned out to open pages as server-sent events.

An event is `id: <n>`, `event: <topic>`, `data: <JSON>`. A page that reconnects with `Last-Event-ID` gets what it missed, if that is still in the
buffer; else an event `missed` tells it to load afresh.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple, Self

import psycopg
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from haitang.base.asker import Asker
from haitang.server.front.door import asker, refusal
from haitang.server.front.passing import Control

CHANNEL = "haitang_live"
KEPT = 1000
WAITING = 500
# The permission that each topic needs; one that is not named here reaches nobody. Notices say only whom they are for, seals are public.
TOPICS = {
    "twin": "thing.read",
    "alarm": "alarm.read",
    "case": "case.read",
    "indicator": "indicator.read",
    "gather": "gather.read",
    "notice": "",
    "seal": "",
}
HEARTBEAT = 15.0
ASKED_AGAIN = 4  # heartbeats after which a quiet page's session is asked about again: one that ran out ends its stream too
SESSION = "session"  # not for pages: tells which sessions were ended, by digests of their keys


class Event(NamedTuple):
    id: int
    topic: str
    data: str

    def wire(self) -> str:
        return f"id: {self.id}\nevent: {self.topic}\ndata: {self.data}\n\n"


class Page(NamedTuple):
    """One open stream: what waits for it, and the digest of its session's key."""

    waiting: "asyncio.Queue[Event | None]"
    session: str


class Live:
    """Listens to the database once and serves every page."""

    def __init__(self, database_url: str, control: Control) -> None:
        self._url, self._control = database_url, control
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._pages: dict[int, Page] = {}
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
        self._end(self._pages.values())

    async def endpoint(self, request: Request) -> Response:
        cookie = request.headers.get("cookie", "")
        found = await asker(self._control, cookie)
        if isinstance(found, int):
            return refusal(found)
        wanted = _topics(request.query_params.get("topics", ""), found)
        last = request.headers.get("last-event-id") or request.query_params.get("last") or ""
        return StreamingResponse(
            self._stream(wanted, int(last) if last.isascii() and last.isdigit() else None, cookie),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _stream(self, wanted: frozenset[str], last: int | None, cookie: str) -> AsyncIterator[str]:
        page = Page(asyncio.Queue(WAITING), _session_of(cookie))
        missed = self._since(last)
        self._pages[id(page)] = page
        quiet = 0
        try:
            yield "retry: 2000\n\n"
            for event in missed:
                if event.topic in wanted:
                    yield event.wire()
            while True:
                try:
                    got = await asyncio.wait_for(page.waiting.get(), HEARTBEAT)
                except TimeoutError:
                    quiet += 1
                    if quiet % ASKED_AGAIN == 0 and await asker(self._control, cookie) in (401, 403):
                        return
                    yield ": alive\n\n"
                    continue
                if got is None:
                    return
                if got.topic in wanted:
                    yield got.wire()
        finally:
            self._pages.pop(id(page), None)

    def _since(self, last: int | None) -> list[Event]:
        if last is None:
            return []
        oldest = self._kept[0].id if self._kept else self._next
        # Forgotten since, or of another life of the front: the clock may have been set back in between.
        if not oldest - 1 <= last < self._next:
            return [Event(self._next - 1, "missed", "{}")]
        return [event for event in self._kept if event.id > last]

    def _tell(self, topic: str, data: str) -> None:
        if topic == SESSION:
            ended = set(json.loads(data).get("ended", ()))
            self._end([page for page in self._pages.values() if page.session in ended])
            return
        event = Event(self._next, topic, data)
        self._next += 1
        self._kept.append(event)
        for page in list(self._pages.values()):
            try:
                page.waiting.put_nowait(event)
            except asyncio.QueueFull:  # too slow: it reconnects with its last id
                self._pages.pop(id(page), None)
                self._end([page])

    def _end(self, pages: Iterable[Page]) -> None:
        for page in pages:
            if page.waiting.full():
                page.waiting.get_nowait()
            page.waiting.put_nowait(None)

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


def _session_of(cookie: str) -> str:
    """The digest by which people.ending names a session."""
    try:
        found = SimpleCookie(cookie).get("sessionid")
    except CookieError:
        found = None
    return hashlib.sha256(found.value.encode()).hexdigest() if found else ""


def _topics(asked: str, who: Asker) -> frozenset[str]:
    """The topics that a page gets of those it asks for (none: all): only what its reader may read."""
    named = {topic for topic in asked.split(",") if topic} or set(TOPICS)
    return frozenset({"missed"} | {topic for topic in named & set(TOPICS) if not TOPICS[topic] or TOPICS[topic] in who.may | who.may_own})


def _read(payload: str) -> tuple[str, str]:
    """Topic and data of a notification `{"topic": ..., "payload": ...}`."""
    try:
        told: dict[str, Any] = json.loads(payload)
        return str(told["topic"]), json.dumps(told.get("payload", {}), ensure_ascii=False)
    except (ValueError, KeyError, TypeError):
        return "missed", "{}"
