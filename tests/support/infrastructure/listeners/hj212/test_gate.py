"""Caps of connections and of patience at the HJ 212 listener, over real sockets."""

import asyncio

import pytest

from haitang.support.infrastructure.listeners.hj212.connection import Connection
from tests.support.infrastructure.listeners.conftest import on_uvloop
from tests.support.infrastructure.listeners.hj212.conftest import Listening

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_station_too_many_is_let_go_and_one_in_drops_too(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "WHOLE", 1.0)

    async def run() -> None:
        async with listening(device_connections=1) as platform:
            await platform.until_told(connections=1, open_connections=0)  # the probe of the fixture
            reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
            second, other = await asyncio.open_connection("127.0.0.1", platform.port)
            assert await asyncio.wait_for(second.read(), 60) == b""
            other.close()
            writer.write(b"##0101QN=2026")
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await asyncio.wait_for(reader.readexactly(1), 60)
            writer.close()
            await platform.until_told(too_slow=1)
            assert platform.told()["turned_away"] >= 1

    on_uvloop(run())
