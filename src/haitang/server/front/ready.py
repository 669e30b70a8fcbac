"""`GET /ready`: 200 when every part of the instance works, else 503; either way each part says whether it works.

Why it does not, and where things lie and listen, is told to whoever may read it (`instance.read`) and to the commands of the operating-system user that runs
the instance. A request from loopback alone proves nothing: a reverse proxy on this machine is there too.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable
from typing import Any

import psycopg
from starlette.requests import Request
from starlette.responses import JSONResponse

from haitang.base.settings import Settings
from haitang.server import instance
from haitang.server.beat import is_alive
from haitang.server.front.door import asker
from haitang.server.front.passing import Control
from haitang.server.processes import names
from haitang.support.infrastructure.embedded.permissions import READ
from haitang.support.infrastructure.stream import unanswered

Part = tuple[bool, str]
_SECONDS = 4.0


def operators_token(secret: str) -> str:
    """What a command shows that could read the instance's secrets: only its own operating-system user can."""
    return hmac.new(secret.encode(), b"haitang /ready", hashlib.sha256).hexdigest()


class Readiness:
    """Asks every part, at most once in half a second."""

    def __init__(self, settings: Settings, control: Control) -> None:
        self.settings, self.control = settings, control
        self._lock = asyncio.Lock()
        self._found: tuple[float, dict[str, Any]] = (0.0, {})
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def endpoint(self, request: Request) -> JSONResponse:
        found = await self.state()
        body = found if await self.may_see(request) else {**found, "parts": {name: {"ok": p["ok"]} for name, p in found["parts"].items()}}
        return JSONResponse(body, 200 if found["ready"] else 503, {"Cache-Control": "no-store"})

    async def state(self) -> dict[str, Any]:
        """What every part says, asked at most once in half a second."""
        async with self._lock:
            if time.monotonic() - self._found[0] > 0.5:
                self._found = (time.monotonic(), await self._ask_all())
        return self._found[1]

    async def may_see(self, request: Request) -> bool:
        """Whether who asks may read what is inside: the operator's commands, or `instance.read` by session or API token."""
        shown = request.headers.get("authorization", "").removeprefix("Bearer ")
        if shown and self.settings.secret_key and hmac.compare_digest(shown.encode(), operators_token(self.settings.secret_key).encode()):
            return True
        found = await asker(self.control, request.headers.get("cookie", ""), request.headers.get("authorization", ""))
        return not isinstance(found, int) and READ in found.may

    async def close(self) -> None:
        if self._connection:
            await self._connection.close()

    async def _ask_all(self) -> dict[str, Any]:
        parts: dict[str, Awaitable[Part]] = {
            "database": self._database(),
            "stream": self._stream(),
            "lake": self._lake(),
            "control": self._control(),
        }
        for listener in ("hj212", "mqtt"):
            if listener in names():
                parts[listener] = self._listens(getattr(self.settings, listener))
        answers = await asyncio.gather(*(_within(part) for part in parts.values()))
        found = dict(zip(parts, answers, strict=True))
        found["release"] = (bool(self._release), self._release or "没有生效的声明版本")
        processes = {name: is_alive(self.settings.run, name) for name in names()}
        told = {name: {"ok": ok, "detail": detail} for name, (ok, detail) in found.items()}
        told |= {f"process:{name}": {"ok": ok, "detail": "" if ok else "没有心跳"} for name, ok in processes.items()}
        starting = instance.read(self.settings.data).get("state") != "running"
        return {
            "ready": all(part["ok"] for part in told.values()) and not starting,
            "state": "starting" if starting else "running",
            "parts": told,
        }

    async def _database(self) -> Part:
        connection = await self._connected()
        await connection.execute("select 1")
        return True, ""

    async def _lake(self) -> Part:
        connection = await self._connected()
        row = await (await connection.execute("select to_regclass('lake.ducklake_metadata') is not null")).fetchone()
        return (True, self.settings.lake_path) if row and row[0] else (False, "湖的目录尚未建立")

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self.settings.database_url, autocommit=True, connect_timeout=3)
        return self._connection

    async def _stream(self) -> Part:
        import nats

        client = await nats.connect(self.settings.nats_url, connect_timeout=2, allow_reconnect=False, max_reconnect_attempts=0)
        try:
            info = await client.jetstream().account_info()
        finally:
            await client.close()
        if unanswered.is_said(self.settings.run):
            return False, "已连接，但写入没有应答"
        return True, f"{info.streams} 个流"

    async def _control(self) -> Part:
        status, said = await self.control.ask("/api/alive", seconds=3)
        self._release = said["release"] if status == 200 and said else ""
        return (True, "") if status == 200 else (False, f"HTTP {status}" if status else "没有应答")

    _release = ""

    async def _listens(self, port: int) -> Part:
        _, writer = await asyncio.open_connection(self.settings.host, port)
        writer.close()
        return True, f"{self.settings.host}:{port}"


async def _within(part: Awaitable[Part]) -> Part:
    try:
        return await asyncio.wait_for(part, _SECONDS)
    except Exception as failure:  # whatever it is, this part does not work, and the answer must say so
        return False, f"{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ''}"
