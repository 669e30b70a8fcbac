"""POST /api/data/observations: what devices observed, answered once it is durable.

    curl -u IDENTIFIER:SECRET -H 'Content-Type: application/json' -H 'Idempotency-Key: 42' -d '[{"property": "pm2_5", "value": 35.2}]' …/api/data/observations

The door is the device's credential (Basic, or Bearer IDENTIFIER.SECRET), never a session: a cookie opens nothing here, so there is nothing to forge across sites.
200: all stored. 422: `refused` names each bad element, the rest is stored. 400, 401, 403, 409, 413, 415: nothing is (403: policies do not let the device report; `/why` explains it). 429, 503: nothing may be; try again after Retry-After
with the same id. docs/how-to/connect-a-device-by-http.md shows them all.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.directory import Directory
from haitang.support.infrastructure.listeners.http import body, openapi
from haitang.support.infrastructure.listeners.http.answers import problem
from haitang.support.infrastructure.listeners.http.first_come import FirstCome
from haitang.support.infrastructure.listeners.http.ingest import LATER, NOT_STORED, Ingest
from haitang.support.infrastructure.listeners.http.room import Room
from haitang.support.infrastructure.stream.client import connect

log = structlog.get_logger()
NAME = "http"
COUNTED = ("received", "again", "refused", "set_aside", "published", "batches", "stream_waits")
ALWAYS = {"Cache-Control": "no-store", "Link": openapi.LINK}
_ingest: Ingest | None = None
_room = Room()


async def post(request: Request) -> Response:
    """One message."""
    try:
        if _ingest is None:
            raise NOT_STORED()
        known = await _ingest.sign_in(request.headers.get("authorization", ""), request.client.host if request.client else "")
        async with _room.of(request, known.thing):
            id, answer = await _ingest.take(known, _id(request), await body.read(request))
    except HaitangError as failure:
        return _refusal(failure)
    except ClientDisconnect:
        return Response(status_code=499)
    return Response(answer.body, answer.status, {"Message-Id": id, **ALWAYS}, "application/json")


def _id(request: Request) -> str:
    """The id that the sender gave; the header may quote it, as the draft of the IETF does."""
    return (request.headers.get("idempotency-key") or request.query_params.get("id") or "").strip().strip('"')


def _refusal(failure: HaitangError) -> Response:
    headers = dict(ALWAYS)
    if failure.status in LATER:
        headers["Retry-After"] = str(LATER[failure.status])
    if failure.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="haitang devices", charset="UTF-8"'
    return Response(msgspec.json.encode(problem(failure)), failure.status, headers, "application/json")


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    """Serve while the front does. The stream may come later than the front: until then the answer is 503."""
    work = asyncio.create_task(_keep_serving())
    try:
        yield
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


async def _keep_serving() -> None:
    """Anew after whatever failed; devices are told to come again meanwhile."""
    while True:
        try:
            await _serve()
        except Exception:
            log.exception("http.ingest_failed")
        await asyncio.sleep(1)


async def _serve() -> None:
    global _ingest
    directory, counters = Directory(NAME), Counters(f"{NAME}.json", COUNTED)
    stream = await connect()
    try:
        await stream.ensure()
        await directory.open()
        batcher = Batcher(stream, counters, lambda: directory.view.release, NAME)
        _ingest = Ingest(stream, directory, batcher, counters, FirstCome(settings().run / "http.came"))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(batcher.run())
            tasks.create_task(directory.keep_fresh())
            tasks.create_task(counters.keep_written(settings().run, listens=settings().url))
    finally:
        _ingest = None
        await directory.close()
        await stream.close()


routes: list[Route] = []
# What a device's own credential opens: outside the door of sessions.
device_routes = [Route(openapi.PATH, post, methods=["POST"]), Route(f"{openapi.PATH}/openapi.json", openapi.get, methods=["GET"])]
