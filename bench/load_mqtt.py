"""The devices of `sensing-mqtt`, in a process of their own: each connection keeps a few QoS 1 messages in flight, one observation each.

python -m bench.load_mqtt PORT MESSAGES_A_CONNECTION START < credentials (lines of IDENTIFIER SECRET THING, one for each connection)

Framed by hand, and ahead of time, so that what is measured is the listener.
"""

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta

from haitang.support.infrastructure.listeners.mqtt.packets import V5, Connect, Publish
from haitang.support.infrastructure.listeners.mqtt.writing import written

IN_FLIGHT = 8
CONNACK, PUBACK = 0x20, 0x40


class Publisher(asyncio.Protocol):
    """Signs in, then sends; `ready` is set at its CONNACK, `done` at the last PUBACK."""

    def __init__(self, hello: bytes, messages: list[bytes], latencies: list[float]) -> None:
        self.hello, self.messages, self.latencies = hello, messages, latencies
        self.next = self.acknowledged = 0
        self.sent = [0.0] * len(messages)
        self.held = b""
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.done: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        transport.write(self.hello)  # type: ignore[attr-defined]

    def go_on(self) -> None:
        """Send what may be in flight."""
        until = min(self.acknowledged + IN_FLIGHT, len(self.messages))
        if until > self.next:
            now = time.perf_counter()
            self.sent[self.next : until] = [now] * (until - self.next)
            self.transport.write(b"".join(self.messages[self.next : until]))  # type: ignore[attr-defined]
            self.next = until

    def data_received(self, data: bytes) -> None:
        data, at, now = self.held + data, 0, time.perf_counter()
        while len(data) - at >= 2 and len(data) - at >= 2 + data[at + 1]:
            kind, end = data[at], at + 2 + data[at + 1]
            if kind == CONNACK and data[at + 3] == 0:
                self.ready.set_result(None)
            elif kind == PUBACK and (data[at + 1] == 2 or data[at + 4] == 0):
                self.latencies.append(now - self.sent[self.acknowledged])
                self.acknowledged += 1
            else:
                self.fail(RuntimeError(f"answered {data[at:end].hex()}"))
                return
            at = end
        self.held = data[at:]
        if self.acknowledged == len(self.messages):
            self.done.set_result(None)
        elif self.acknowledged:
            self.go_on()

    def fail(self, reason: Exception) -> None:
        for future in (self.ready, self.done):
            if not future.done():
                future.set_exception(reason)

    def connection_lost(self, reason: Exception | None) -> None:
        self.fail(reason or ConnectionError("closed before the last acknowledgement"))


def messages(thing: str, number: int, count: int, start: datetime) -> list[bytes]:
    """One reading of one property each, a second apart."""
    chance, made = random.Random(number), []
    for index in range(count):
        at = start + timedelta(seconds=index)
        payload = f'{{"property":"p{index % 5}","value":{chance.random() * 100:.2f},"at":"{at.isoformat()}"}}'
        made.append(written(Publish(f"things/{thing}/observations", payload.encode(), 1, index % 65535 + 1), V5))
    return made


async def main(port: int, count: int, start: datetime) -> None:
    loop, latencies, publishers = asyncio.get_running_loop(), list[float](), list[Publisher]()
    for number, line in enumerate(sys.stdin):
        identifier, secret, thing = line.split()
        hello = written(Connect(f"bench-{number}", V5, True, 600, identifier, secret.encode()), V5)
        made = messages(thing, number, count, start)
        _, publisher = await loop.create_connection(lambda hello=hello, made=made: Publisher(hello, made, latencies), "127.0.0.1", port)  # type: ignore[misc]
        publishers.append(publisher)
        if number % 100 == 99:
            await asyncio.gather(*(each.ready for each in publishers))
    await asyncio.gather(*(each.ready for each in publishers))
    began, used = time.perf_counter(), time.process_time()
    for publisher in publishers:
        publisher.go_on()
    await asyncio.gather(*(publisher.done for publisher in publishers))
    seconds = time.perf_counter() - began
    latencies.sort()
    told = {
        "connections": len(publishers), "acknowledged": len(latencies), "seconds": seconds, "processor": time.process_time() - used,
        "p50": latencies[len(latencies) // 2], "p99": latencies[len(latencies) * 99 // 100],
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    import uvloop

    words = sys.argv[1:]
    uvloop.run(main(int(words[0]), int(words[1]), datetime.fromtimestamp(float(words[2]), UTC)))
