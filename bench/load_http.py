"""The devices of `sensing-http`, in a process of their own: each connection posts a batch, waits for its answer, posts the next.

python -m bench.load_http PORT CONNECTIONS BATCHES_A_CONNECTION START [OBSERVATIONS_A_SECOND] < credentials (lines of IDENTIFIER SECRET THING)

A batch is one device's: 100 instants of 5 properties. One instant in twenty is two hours late, one batch in a hundred is sent twice under the same id.
"""

import asyncio
import base64
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.city import PROPERTIES
from bench.turns import HttpTurns

INSTANTS = 100
LATE, TWICE = 0.05, 0.01


class Poster(HttpTurns):
    """Posts as fast as it is answered, or a batch every `apart` seconds from `due` on."""

    def __init__(self, requests: list[bytes], latencies: list[float], apart: float = 0.0) -> None:
        super().__init__(requests, latencies)
        self.apart, self.due = apart, 0.0

    def go_on(self) -> None:
        if self.apart:
            self.due += self.apart
            asyncio.get_running_loop().call_at(self.due, self.begin)
        else:
            self.begin()


def body(chance: random.Random, start: datetime) -> bytes:
    """100 instants of 5 properties, some late."""
    parts = []
    for instant in range(INSTANTS):
        at = start + timedelta(seconds=instant) - timedelta(hours=2 if chance.random() < LATE else 0)
        told = at.isoformat()
        parts += [f'{{"property":"p{p}","value":{chance.random() * 100:.2f},"at":"{told}"}}' for p in range(PROPERTIES)]
    return f"[{','.join(parts)}]".encode()


def requests(number: int, count: int, start: datetime, devices: list[list[str]]) -> Iterator[bytes]:
    """Each device in its turn; none has the same instant twice."""
    chance = random.Random(number)
    for index in range(count):
        identifier, secret, _ = devices[(number * count + index) % len(devices)]
        round = (number * count + index) // len(devices)
        content = body(chance, start + timedelta(seconds=INSTANTS * round))
        told = base64.b64encode(f"{identifier}:{secret}".encode()).decode()
        head = (
            f"POST /api/data/observations HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic {told}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {start.timestamp():.0f}-{number}-{index}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        yield head.encode() + content
        if chance.random() < TWICE:
            yield head.encode() + content


async def main(port: int, connections: int, count: int, start: datetime, rate: float = 0.0) -> None:
    devices, loop, latencies = [line.split() for line in sys.stdin], asyncio.get_running_loop(), list[float]()
    posters = []
    apart = connections * INSTANTS * PROPERTIES / rate if rate else 0.0
    # All are made before any connection is opened: the platform hangs up on one that stays idle.
    for made in [list(requests(number, count, start, devices)) for number in range(connections)]:
        _, poster = await loop.create_connection(lambda made=made: Poster(made, latencies, apart), "127.0.0.1", port)  # type: ignore[misc]
        posters.append(poster)
    began, used = time.perf_counter(), time.process_time()
    for number, poster in enumerate(posters):
        poster.due = loop.time() + apart * number / connections
        loop.call_at(poster.due, poster.begin)
    await asyncio.gather(*(poster.done for poster in posters))
    latencies.sort()
    told = {
        "batches": connections * count, "answered": len(latencies), "seconds": time.perf_counter() - began, "processor": time.process_time() - used,
        "p50": latencies[len(latencies) // 2], "p99": latencies[len(latencies) * 99 // 100],
    }  # fmt: skip
    print(json.dumps(told))


if __name__ == "__main__":
    import uvloop

    words = sys.argv[1:]
    uvloop.run(main(int(words[0]), int(words[1]), int(words[2]), datetime.fromtimestamp(float(words[3]), UTC), *map(float, words[4:])))
