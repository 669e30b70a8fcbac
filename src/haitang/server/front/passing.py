"""Passes requests to the control plane over Unix sockets, bodies streamed both ways.

Each process of the control plane has a socket of its own, and a request goes to the one that has the fewest: which of them takes a connection of a shared socket is chance, and
a connection is kept for many requests, so that one process would have three quarters of the work while a processor stood idle.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp
from multidict import CIMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from yarl import URL

from haitang.base.settings import settings
from haitang.server.front.admission import Budget, OverloadedError, Sort, small_body, sort_of

# RFC 9110 section 7.6.1: these concern one connection and are never passed on.
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_SERVERS = frozenset(("date", "server"))  # uvicorn says when, and nobody needs to know what runs
_OURS = frozenset(("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-real-ip"))

THREADS = 8  # of a process of control
OVER = "haitang.body_over"
AWAY = "X-Haitang-Away"  # a header of the control plane's answer: what it could not reach
AT_ONCE = 256 << 10  # bytes of an answer that is passed on in one piece
FROM_STRANGERS = 16 << 20  # bytes of a body from who is not signed in

_PAGE = """<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><body style="font:16px/1.7 system-ui,sans-serif;max-width:34em;margin:15vh auto;padding:0 1em">
<h1 style="font-size:1.3em">{title}</h1><p>{text}</p><p lang="en">{english}</p></body></html>"""


def sockets() -> list[Path]:
    """Where the processes of the control plane listen, each on its own."""
    return [settings().run / f"control-{place}.sock" for place in range(settings().web_workers)]


class _Process:
    """One process of the control plane; `under_way` counts the requests that it has."""

    def __init__(self, socket: Path) -> None:
        self.under_way = 0
        self.client = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(socket), limit=200, keepalive_timeout=60),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=120),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )


class Control:
    """The control plane as the front sees it: processes that listen on `sockets`."""

    def __init__(self, *sockets: Path, budget: Budget | None = None) -> None:
        self._sockets, self.budget = sockets, budget or Budget(len(sockets) * THREADS)
        self._processes: list[_Process] = []

    async def __aenter__(self) -> Self:
        self._processes = [_Process(socket) for socket in self._sockets]
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            await process.client.close()

    @contextmanager
    def _idlest(self) -> Iterator[aiohttp.ClientSession]:
        """The process with the fewest requests under way, of equal ones that which was asked longest ago; it counts as asked until the answer has been passed on."""
        process = min(self._processes, key=lambda each: each.under_way)
        self._processes.remove(process)
        self._processes.append(process)
        process.under_way += 1
        try:
            yield process.client
        finally:
            process.under_way -= 1

    async def ask(self, path: str, headers: dict[str, str] | None = None, seconds: float = 5, *, sort: Sort = "urgent") -> tuple[int, Any]:
        """GET a JSON answer; status 0 when control does not answer, or has no room."""
        try:
            async with self.budget.room(sort):
                with self._idlest() as client:
                    whole = aiohttp.ClientTimeout(total=seconds)
                    async with client.get(f"http://control{path}", headers=headers, timeout=whole) as answer:
                        return answer.status, await answer.json() if answer.content_type == "application/json" else None
        except (aiohttp.ClientError, TimeoutError, OSError, OverloadedError):
            return 0, None

    async def _body(self, request: Request) -> AsyncIterator[bytes] | None:
        """The body, streamed and counted: a stranger may fill no disk. Raises BodyTooLargeError at once where the size is told."""
        if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
            return None
        size = _told_size(request)
        most = FROM_STRANGERS if size is not None and size <= FROM_STRANGERS else await self._most(request)
        if size is not None and size > most:
            raise BodyTooLargeError(most)
        return _counted(request, most)

    async def _most(self, request: Request) -> int:
        headers = {name.title(): request.headers[name] for name in ("authorization", "cookie") if name in request.headers}
        if not headers:
            return FROM_STRANGERS
        by_token = headers.get("Authorization", "").lower().startswith("bearer ")
        status, _ = await self.ask("/api/tokens/self" if by_token else "/api/session", headers, sort="bulk")
        return settings().upload_megabytes << 20 if status == 200 else FROM_STRANGERS

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            try:
                small = await small_body(request)
                async with self.budget.room(sort_of(request)):
                    with self._idlest() as client:
                        response = await self._pass(client, request, small)
                        await response(scope, receive, send)
                return
            except ClientDisconnect:
                response = Response(status_code=499)
            except TimeoutError:
                response = _failure(
                    request, 408, "请求没有发完", "请求体没有在规定时间内发完，请重试。", "The body did not come in time. Please try again."
                )
            except OverloadedError as overloaded:
                response = _failure(
                    request,
                    503,
                    "访问量过大",
                    "现在访问量过大，请稍候再试。",
                    "Too much is asked of the platform right now. Please try again in a moment.",
                )
                response.headers["Retry-After"] = str(overloaded.after)
            await response(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _pass(self, client: aiohttp.ClientSession, request: Request, small: bytes | None) -> Response:
        try:
            body = small if small is not None else await self._body(request)
            answer = await client.request(request.method, _target(request), headers=_headers(request), data=body, allow_redirects=False)
            if AWAY in answer.headers:
                answer.release()
                return _database_away(request)
            return await _answer(answer)
        except ClientDisconnect:
            return Response(status_code=499)
        except BodyTooLargeError as large:
            return _too_large(request, large.most)
        except (aiohttp.ClientConnectorError, FileNotFoundError):
            return _failure(
                request, 503, "平台正在启动", "网页服务尚未就绪，请稍候刷新。", "The pages are still starting. Please reload in a moment."
            )
        except TimeoutError:
            return _failure(request, 504, "处理超时", "处理时间过长，请稍后再试。", "This took too long. Please try again.")
        except (aiohttp.ClientError, OSError):
            if OVER in request.scope:
                return _too_large(request, request.scope[OVER])
            return _failure(
                request, 502, "网页服务暂时中断", "服务中断后会自动恢复，请稍候再试。", "The page service broke off and is being restarted."
            )


def _database_away(request: Request) -> Response:
    return _failure(
        request,
        503,
        "数据库暂时不可用",
        "数据库暂时没有应答，请稍候再试；刚才的操作是否已办理，请刷新后查看。",
        "The database is not answering. Please try again in a moment, and look whether what you just did is there.",
    )


def _told_size(request: Request) -> int | None:
    told = request.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() else None


def _target(request: Request) -> URL:
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    query = request.scope["query_string"]
    return URL("http://control" + raw.split(b"?")[0].decode("latin-1") + ("?" + query.decode("latin-1") if query else ""), encoded=True)


def _headers(request: Request) -> CIMultiDict[str]:
    named = {word.strip().lower() for word in request.headers.get("connection", "").split(",")}
    kept = CIMultiDict(
        (name, value)
        for name, value in request.headers.items()
        if name not in _HOP_BY_HOP and name not in _OURS and name not in named and not name.startswith("x-haitang-")
    )
    kept["X-Forwarded-For"] = request.client.host if request.client else ""
    kept["X-Forwarded-Proto"] = (
        "https" if settings().url.startswith("https:") else request.url.scheme
    )  # a proxy before us may have ended TLS
    kept["X-Forwarded-Host"] = request.headers.get("host", "")
    return kept


class BodyTooLargeError(Exception):
    """More than `most` bytes."""

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} bytes")
        self.most = most


async def _counted(request: Request, most: int) -> AsyncIterator[bytes]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            request.scope[OVER] = most  # the client that sends wraps what is raised here
            raise BodyTooLargeError(most)
        yield piece


def _too_large(request: Request, most: int) -> Response:
    text = f"请求体超过 {most >> 20} MiB。请先登录，或分开上传。"
    answer = _failure(request, 413, "内容过大", text, f"The body is larger than {most >> 20} MiB. Sign in first, or send it in parts.")
    del answer.headers["Retry-After"]
    answer.headers["Connection"] = "close"
    return answer


async def _answer(answer: aiohttp.ClientResponse) -> Response:
    """A small one whole: a stream costs a task and a watch for the reader's leaving."""
    small = answer.content_length is not None and answer.content_length <= AT_ONCE
    response = Response(await answer.read(), answer.status) if small else StreamingResponse(_streamed(answer), answer.status)
    named = {word.strip().lower() for word in answer.headers.get("connection", "").split(",")}
    response.raw_headers = [
        (name.lower(), value)
        for name, value in answer.raw_headers
        if (text := name.lower().decode("latin-1")) not in _HOP_BY_HOP and text not in _SERVERS and text not in named
    ]
    return response


async def _streamed(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.content.iter_chunked(64 * 1024):
            yield chunk
    finally:
        answer.release()


def _failure(request: Request, status: int, title: str, text: str, english: str) -> Response:
    headers = {"Retry-After": "3", "Cache-Control": "no-store"}
    if "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(_PAGE.format(title=title, text=text, english=english), status, headers)
    return JSONResponse({"code": "server.control_unavailable", "message": text, "english": english}, status, headers)
