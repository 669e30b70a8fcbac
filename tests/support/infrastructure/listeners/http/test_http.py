"""POST /api/data/observations through the real front: durable before it is answered, the same id the same answer, each bad element named."""

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest

from haitang.support.infrastructure.credentials.actions import Issued
from haitang.support.infrastructure.listeners.http import body as bodies
from haitang.support.infrastructure.listeners.http import ingest
from haitang.support.infrastructure.listeners.http.body import unpacked
from haitang.support.infrastructure.listeners.http.ingest import AT_ONCE
from tests.support.infrastructure.listeners.conftest import Platform

pytestmark = pytest.mark.django_db(transaction=True)
AT = "2026-03-01T08:00:00+08:00"
JSON = {"Content-Type": "application/json"}


def play(served: Any, work: Any) -> None:
    async def run() -> None:
        async with served() as platform, client_of(platform) as client:
            await work(platform, Sender(client, await platform.thing("n1")))

    asyncio.run(run())


def client_of(platform: Platform) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{platform.port}", trust_env=False, timeout=60)


class Sender:
    def __init__(self, client: httpx.AsyncClient, issued: Issued) -> None:
        self.client, self.auth = client, (issued.credential.identifier, issued.secret)

    async def __call__(self, content: Any, id: str = "", **more: Any) -> httpx.Response:
        headers = {**JSON, **({"Idempotency-Key": id} if id else {}), **more.pop("headers", {})}
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.client.post("/api/data/observations", content=raw, headers=headers, auth=more.pop("auth", self.auth))


def leq(value: Any, at: str = AT, **more: Any) -> dict[str, Any]:
    return {"property": "leq", "value": value, "at": at, **more}


def test_what_was_answered_is_on_the_stream(served: Any) -> None:
    async def work(platform: Platform, send: Sender) -> None:
        hour = {"property": "leq", "value": 55, "statistic": "mean", "start": "2026-03-01T07:00:00+08:00", "end": AT}
        answer = await send([leq(51.5), leq(200, "2026-03-01T08:01:00+08:00"), hour, {"property": "door", "value": True}], "m1")
        assert (answer.status_code, answer.json()) == (200, {"id": "m1", "stored": 4})
        found = await platform.observations()
        assert [(o.property, o.statistic, o.number, o.boolean, o.quality) for o in found] == [
            ("leq", "instant", 51.5, None, "normal"), ("leq", "instant", 200, None, "invalid"), ("leq", "mean", 55, None, "normal"),
            ("door", "instant", None, True, "normal"),
        ]  # fmt: skip
        assert {(o.thing, o.origin, o.source_ref, o.unit) for o in found} == {("n1", "live", "m1", "dB"), ("n1", "live", "m1", "")}

    play(served, work)


def test_the_same_id_again_is_answered_the_same_and_stored_once(served: Any) -> None:
    async def work(platform: Platform, send: Sender) -> None:
        messages = [[leq(50)], {"id": "m2", "observations": [leq(51, "2026-03-01T09:00:00+08:00"), leq("?", unit="kg")]}]
        answers = [
            await send(content, id) for content, id in ((messages[0], "m1"), (messages[0], "m1"), (messages[1], ""), (messages[1], ""))
        ]
        assert [a.status_code for a in answers] == [200, 200, 422, 422]
        assert answers[0].content == answers[1].content
        assert answers[2].content == answers[3].content
        reused = await send([leq(52)], "m1")
        assert (reused.status_code, reused.json()["error"]) == (409, "http.id_reused")
        assert [o.number for o in await platform.observations()] == [50, 51]
        together = await asyncio.gather(*(send([leq(60)], "m3") for _ in range(8)))
        assert {a.content for a in together} == {b'{"id":"m3","stored":1}'}
        assert len(await platform.observations()) == 1

    play(served, work)


def test_each_bad_element_is_named_and_the_rest_is_taken(served: Any) -> None:
    bad: dict[int, tuple[Any, str, str]] = {
        1: (leq(None), "value", "not_as_agreed"),
        2: ({"property": "weight", "value": 1}, "property", "unknown_property"),
        3: (leq(1, "2026-03-01 08:00"), "at", "not_as_agreed"),
        4: (leq(1, "2199-01-01T00:00:00Z"), "at", "future_time"),
        5: (leq(1, "1999-01-01T00:00:00Z"), "at", "bad_time"),
        6: (leq(1, statistic="mean"), "statistic", "bad_period"),
        7: (leq(1, unit="kg", at="2026-03-01T07:00:00Z"), "unit", "wrong_unit"),
        8: (leq(99), "", "twice"),
        9: (leq(1, origin="replay"), "", "not_as_agreed"),
        10: (7, "", "not_as_agreed"),
    }

    async def work(platform: Platform, send: Sender) -> None:
        answer = await send([leq(50), *(content for content, _, _ in bad.values()), leq(51, "2026-03-01T09:00:00+08:00")])
        told = answer.json()
        assert (answer.status_code, told["stored"]) == (422, 2)
        assert {r["index"]: (r["path"], r["code"]) for r in told["refused"]} == {n: (path, code) for n, (_, path, code) in bad.items()}
        assert all(r["what"] and r["mend"] and r["english"]["mend"] for r in told["refused"])
        assert [o.number for o in await platform.observations()] == [50, 51]

    play(served, work)


def test_gzip_is_unpacked_and_a_bomb_is_not(served: Any) -> None:
    async def work(platform: Platform, send: Sender) -> None:
        packed = {"Content-Encoding": "gzip"}
        assert (await send(gzip.compress(json.dumps([leq(50)]).encode()), headers=packed)).json()["stored"] == 1
        bomb = gzip.compress(b" " * 50_000_000)
        assert len(bomb) < 100_000
        assert (await send(bomb, headers=packed)).status_code == 413
        assert (await send(gzip.compress(b"[]")[:-3], headers=packed)).status_code == 400
        assert (await send(b"plain", headers=packed)).status_code == 400

    play(served, work)


def test_what_is_no_message_is_refused_with_the_right_status(served: Any) -> None:
    async def work(platform: Platform, send: Sender) -> None:
        answers = {
            "not json": (await send(b"{")).status_code,
            "not a list": (await send(b"7")).status_code,
            "too many": (await send([leq(1)] * 10_001)).status_code,
            "too large": (await send(b" " * (bodies.LARGEST + 1))).status_code,
            "form": (await send(b"a=1", headers={"Content-Type": "application/x-www-form-urlencoded"})).status_code,
            "brotli": (await send(b"x", headers={"Content-Encoding": "br"})).status_code,
            "odd id": (await send([leq(1)], "x" * 129)).status_code,
        }
        assert answers == {"not json": 400, "not a list": 422, "too many": 413, "too large": 413, "form": 415, "brotli": 415, "odd id": 400}
        assert await platform.batches() == []

    play(served, work)


def test_only_a_device_credential_opens_the_door(served: Any) -> None:
    async def work(platform: Platform, send: Sender) -> None:
        identifier, secret = send.auth
        bearer = await send.client.post(
            "/api/data/observations", json=[leq(50)], headers={"Authorization": f"Bearer {identifier}.{secret}", "Cookie": "sessionid=x"}
        )
        assert bearer.status_code == 200
        for auth in ((identifier, "wrong"), ("", ""), ("d0000000000000000", secret)):
            refused = await send([leq(51)], auth=auth)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Basic")
        nobody = await send.client.post("/api/data/observations", json=[leq(51)], headers={"Cookie": "sessionid=x"})
        assert nobody.status_code == 401

    play(served, work)


def test_while_the_stream_is_away_the_answer_is_later_and_the_same_id_is_then_taken(served: Any) -> None:
    async def work(platform: Platform, send: Sender) -> None:
        assert (await send([leq(50)], "m1")).status_code == 200
        await asyncio.to_thread(platform.nats.stop)
        await asyncio.sleep(0.5)
        away = await send([leq(51)], "m2")
        assert away.status_code == 503
        assert int(away.headers["Retry-After"]) > 0
        await asyncio.to_thread(platform.nats.start)
        async with asyncio.timeout(60):
            while (back := await send([leq(51)], "m2")).status_code == 503:
                await asyncio.sleep(0.2)
        assert back.json() == {"id": "m2", "stored": 1}

    play(served, work)


def test_unpacking_stops_at_the_limit() -> None:
    assert unpacked(gzip.compress(b"x" * 1000)) == b"x" * 1000


def test_a_device_that_sends_more_than_the_stalled_stream_takes_is_told_to_come_again_and_nothing_is_lost(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real socket, and a NATS server that stands still: 16 messages wait for their answers, the next is refused at once with Retry-After."""
    monkeypatch.setattr(ingest, "PATIENCE", 50.0)  # they wait until the server goes on, however busy the machine is

    async def work(platform: Platform, send: Sender) -> None:
        assert (await send([leq(30)], "before")).status_code == 200
        platform.nats.stand_still()
        try:
            waiting = [asyncio.create_task(send([leq(50 + n)], f"m{n}")) for n in range(AT_ONCE)]
            while _received(platform) <= AT_ONCE:
                await asyncio.sleep(0.1)
            refused = await send([leq(99)], "late")
            assert (refused.status_code, refused.headers["Retry-After"], refused.json()["error"]) == (429, "1", "http.busy")
            assert not [task for task in waiting if task.done()]
        finally:
            platform.nats.go_on()
        assert [(await task).status_code for task in waiting] == [200] * AT_ONCE
        assert (await send([leq(99)], "late")).status_code == 200
        assert {o.number for o in await platform.observations()} == {30, 99, *range(50, 50 + AT_ONCE)}

    play(served, work)


def _received(platform: Platform) -> int:
    """What the listener says that it has taken in; it writes it down every second."""
    file = platform.run / "http.json"
    return int(json.loads(file.read_text("utf-8"))["counters"]["received"]) if file.is_file() else 0
