"""Overload by devices: what is held of messages is bounded, one device takes no more than its share, and who is not taken in is told when to come again."""

import asyncio
from base64 import b64encode
from typing import Any

import pytest

from haitang.support.infrastructure.credentials.actions import Issued
from haitang.support.infrastructure.listeners.http import data_api, room
from haitang.support.infrastructure.listeners.http.room import Room
from tests.support.infrastructure.listeners.http.test_http import Sender, leq, play
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


async def begun(port: int, issued: Issued, size: int) -> asyncio.StreamWriter:
    """A message whose body does not come."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    door = b64encode(f"{issued.credential.identifier}:{issued.secret}".encode()).decode()
    writer.write(
        f"POST /api/data/observations HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {door}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {size}\r\n\r\n[".encode()
    )
    return writer


def test_one_device_takes_no_more_than_its_share(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_api, "_room", there := Room(8 << 20))

    async def work(platform: Any, send: Sender) -> None:
        greedy = await platform.thing("greedy")
        slow = await begun(platform.port, greedy, 1 << 20)
        await until(lambda: there._of["greedy"])
        refused = await Sender(send.client, greedy)([leq(1)])
        assert (refused.status_code, refused.json()["error"], refused.headers["retry-after"]) == (429, "http.too_much", "1")
        assert (await send([leq(51)])).status_code == 200
        slow.close()

    play(served, work)


def test_where_no_room_is_left_a_device_is_told_when_to_come_again(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_api, "_room", there := Room(1 << 20))
    monkeypatch.setattr(room, "PATIENCE", 0.5)

    async def work(platform: Any, send: Sender) -> None:
        slow = await begun(platform.port, await platform.thing("greedy"), 4 << 20)
        await until(lambda: there._free == 0)
        refused = await send([leq(51)], "m1")
        assert (refused.status_code, refused.json()["error"], refused.headers["retry-after"]) == (503, "http.overloaded", "5")
        slow.close()
        await until(lambda: there._free > 0)
        assert (await send([leq(51)], "m1")).status_code == 200
        assert [o.number for o in await platform.observations()] == [51]

    play(served, work)
