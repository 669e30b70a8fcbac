"""A backup waits until the stream's data are in the lake, however long the stream takes to answer."""

import asyncio
from pathlib import Path

import pytest

from haitang.base.errors import HaitangError
from haitang.server.backup import write
from haitang.support.infrastructure.stream import client
from haitang.support.infrastructure.stream.client import Stream
from tests.support.infrastructure.nats_server import NatsServer


@pytest.mark.parametrize("answers", [True, False])
def test_a_stream_that_stands_still_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: bool) -> None:
    monkeypatch.setattr(client, "ATTEMPT", 0.2)
    server = NatsServer(tmp_path)
    server.start()

    async def play() -> None:
        stream = await client.connect(server.url)
        await stream.ensure()

        async def connected() -> Stream:
            return stream

        monkeypatch.setattr(write, "connect", connected)
        server.stand_still()
        waiting = asyncio.create_task(write.drain(60 if answers else 1))
        if answers:
            await asyncio.sleep(1)
            server.go_on()
        await waiting

    try:
        if answers:
            asyncio.run(play())
        else:
            with pytest.raises(HaitangError, match=r"server\.stream_silent"):
                asyncio.run(play())
    finally:
        server.stop()
