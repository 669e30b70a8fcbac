"""Devices that publish at QoS 1, to PUBACKs that mean durable, to the lake and through the rules."""

import asyncio
import time
from typing import Any

from bench import client
from bench.figures import Figure, Options
from bench.instance import city_running, judged, processor_seconds, stored, until
from bench.sensing_http import credentials

TITLE = "MQTT: messages of QoS 1, durable at PUBACK"
CONNECTIONS = 1000


def run(options: Options) -> list[Figure]:
    messages = 100 if options.quick else 600  # of each connection
    start = time.time() - 86_400
    with city_running(options.data, CONNECTIONS) as instance:
        devices = credentials()
        _load(instance.mqtt, 5, start - 7 * 86_400, devices)  # warm
        until("warm-up stored", lambda: stored() == CONNECTIONS * 5, seconds=60)
        began, used, before = time.monotonic(), processor_seconds(instance.data), stored()
        told = _load(instance.mqtt, messages, start, devices)
        wanted = before + told["acknowledged"]
        until("stored", lambda: stored() >= wanted, seconds=600)
        through = time.monotonic() - began
        until("judged", judged, seconds=600)
        used = {name: seconds - used.get(name, 0) for name, seconds in processor_seconds(instance.data).items()}
        lost, count = wanted - stored(), told["acknowledged"]
        floor = asyncio.run(_floor(messages, devices))
    return [
        Figure("messages durable at PUBACK", count / told["seconds"], "messages/s", goal=15_000, floor=floor,
               floor_is="asyncio server, one publish for all that waits"),
        Figure("PUBACK p50", told["p50"] * 1000, "ms"),
        Figure("PUBACK p99", told["p99"] * 1000, "ms"),
        Figure("through to the lake", count / through, "messages/s"),
        Figure("processor, client", told["processor"] / count * 1e6, "us/message"),
        *(Figure(f"processor, {name}", seconds / count * 1e6, "us/message") for name, seconds in used.items() if seconds > 0.2),
        Figure("acknowledged and not stored", lost, "messages", goal=0, more=False),
    ]  # fmt: skip


def _load(port: int, messages: int, start: float, devices: list[tuple[str, str, str]]) -> dict[str, Any]:
    return client.run("mqtt", port, messages, start, lines=map(" ".join, devices))


async def _floor(messages: int, devices: list[tuple[str, str, str]]) -> float:
    """The same messages against a bare server: packets in, whatever waits in one JetStream publish, a fixed PUBACK for each after its acknowledgement."""
    import nats
    from nats.js.api import StorageType, StreamConfig

    from haitang.base.settings import settings

    connection = await nats.connect(settings().nats_url)
    stream = connection.jetstream()
    await stream.add_stream(StreamConfig(name="FLOOR", subjects=["floor"], storage=StorageType.FILE))
    waiting, came = list[tuple[bytes, "_Bare"]](), asyncio.Event()

    async def publish() -> None:
        while True:
            await came.wait()
            taken = waiting[:4000]
            del waiting[:4000]
            if not waiting:
                came.clear()
            await stream.publish("floor", b"".join(packet for packet, _ in taken))
            for _, bare in taken:
                bare.transport.write(b"\x40\x02\x00\x01")

    server = await asyncio.get_running_loop().create_server(lambda: _Bare(waiting, came), "127.0.0.1", 0)
    task = asyncio.create_task(publish())
    told = await asyncio.to_thread(_load, server.sockets[0].getsockname()[1], messages, time.time(), devices)
    task.cancel()
    server.close()
    await stream.delete_stream("FLOOR")
    await connection.close()
    return float(told["acknowledged"] / told["seconds"])


class _Bare(asyncio.Protocol):
    """Cuts packets and looks into none."""

    def __init__(self, waiting: list[tuple[bytes, "_Bare"]], came: asyncio.Event) -> None:
        self._waiting, self._came, self._held = waiting, came, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        data, at = self._held + data, 0
        while len(data) - at > 2:
            length, start = data[at + 1], at + 2
            if length > 127:
                length, start = length & 127 | data[at + 2] << 7, at + 3
            if start + length > len(data):
                break
            if data[at] >> 4 == 1:
                self.transport.write(b"\x20\x03\x00\x00\x00")
            else:
                self._waiting.append((data[start : start + length], self))
            at = start + length
        self._held = data[at:]
        if self._waiting:
            self._came.set()
