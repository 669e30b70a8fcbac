"""The other side of the wire: a device that publishes by MQTT 5 and waits for the acknowledgement. Used by replays.

async with Publisher("127.0.0.1", 1883, identifier, secret) as device:
    await device.publish("things/n1/observations", b"...", id="m-1")        # raises NotAcknowledgedError
"""

import asyncio
import contextlib
import itertools
import ssl
from types import TracebackType
from typing import Self

from haitang.support.infrastructure.listeners.mqtt.framer import Framer
from haitang.support.infrastructure.listeners.mqtt.packets import V5, Ack, Connack, Connect, Disconnect, Publish, parse
from haitang.support.infrastructure.listeners.mqtt.properties import PUBACK
from haitang.support.infrastructure.listeners.mqtt.writing import written

LARGEST, AT_ONCE, PATIENCE = 65536, 50, 60.0


class NotAcknowledgedError(Exception):
    """The platform refused, or did not answer in time."""


class Publisher:
    """One device on one connection; up to AT_ONCE messages may wait for their acknowledgements."""

    def __init__(self, host: str, port: int, identifier: str, secret: str, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._identifier, self._secret, self._tls = host, port, identifier, secret, tls
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._welcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._numbers = itertools.cycle(range(1, 65536))
        self._room = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, ssl=self._tls)
        self._listening = asyncio.create_task(self._listen())
        self._writer.write(written(Connect(f"replay-{self._identifier}", V5, True, 0, self._identifier, self._secret.encode()), V5))
        if reason := await asyncio.wait_for(self._welcome, PATIENCE):
            raise NotAcknowledgedError(f"refused with 0x{reason:02x}")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._writer.write(written(Disconnect(), V5))
            await self._writer.drain()
        self._listening.cancel()
        self._writer.close()

    async def publish(self, topic: str, payload: bytes, *, id: str) -> None:
        """At QoS 1; the same `id` again is the same message."""
        async with self._room:
            number = next(n for n in self._numbers if n not in self._waiting)
            self._waiting[number] = asyncio.get_running_loop().create_future()
            try:
                self._writer.write(written(Publish(topic, payload, 1, number, properties={"user_property": [("id", id)]}), V5))
                await self._writer.drain()
                reason = await asyncio.wait_for(self._waiting[number], PATIENCE)
            except (OSError, TimeoutError):
                raise NotAcknowledgedError("no answer") from None
            finally:
                del self._waiting[number]
        if reason >= 0x80:
            raise NotAcknowledgedError(f"refused with 0x{reason:02x}")

    async def _listen(self) -> None:
        framer = Framer(LARGEST)
        while chunk := await self._reader.read(LARGEST):
            for first, body in framer.feed(chunk):
                self._take(parse(first, body, V5))
        for each in self._waiting.values():
            if not each.done():
                each.set_exception(ConnectionResetError())

    def _take(self, packet: object) -> None:
        waiting = self._waiting.get(packet.packet_id) if isinstance(packet, Ack) and packet.type == PUBACK else None
        if isinstance(packet, Connack):
            self._welcome.set_result(packet.reason)
        elif waiting and not waiting.done():
            assert isinstance(packet, Ack)
            waiting.set_result(packet.reason)
