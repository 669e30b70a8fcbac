"""The stations of `sensing-hj212`, in a process of their own: each connection sends a packet, waits for its 9014, sends the next.

python -m bench.load_hj212 PORT CONNECTIONS PACKETS_A_CONNECTION START
"""

import asyncio
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta

from bench import city
from bench.turns import Turns
from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.hj212.packet import compose, framed

CODES = ("a34004", "a34002", "a21026", "a21004", "a05024")


class Station(Turns):
    """Sends its packets one after the other, each after the 9014 of the one before."""

    def data_received(self, data: bytes) -> None:
        if b"CN=9014" in data:
            self.answered()


def packets(number: int, count: int, start: datetime) -> list[bytes]:
    """Instant values (2011) of one station, one every 30 s; five factors with flags, as an air station sends them."""
    chance, made = random.Random(number), []
    for index in range(count):
        at = (start + timedelta(seconds=30 * index)).astimezone(CHINA)
        items = ";".join(f"{code}-Rtd={chance.random() * 100:.1f},{code}-Flag=N" for code in CODES)
        segment = compose(
            st="22", cn="2011", mn=city.mn(number), pw="123456", qn=f"{at:%Y%m%d%H%M%S}{index % 1000:03d}", flag=5,
            cp=f"DataTime={at:%Y%m%d%H%M%S};{items}",
        )  # fmt: skip
        made.append(framed(segment))
    return made


async def main(port: int, connections: int, count: int, start: datetime) -> None:
    loop, latencies = asyncio.get_running_loop(), list[float]()
    stations = []
    for number in range(connections):
        made = packets(number, count, start)
        _, station = await loop.create_connection(lambda made=made: Station(made, latencies), "127.0.0.1", port)  # type: ignore[misc]
        stations.append(station)
    began = time.perf_counter()
    for station in stations:
        station.begin()
    await asyncio.gather(*(station.done for station in stations))
    seconds = time.perf_counter() - began
    latencies.sort()
    print(
        json.dumps(
            {
                "answered": len(latencies),
                "seconds": seconds,
                "p50": latencies[len(latencies) // 2],
                "p99": latencies[len(latencies) * 99 // 100],
            }
        )
    )


if __name__ == "__main__":
    import uvloop

    words = sys.argv[1:]
    uvloop.run(main(int(words[0]), int(words[1]), int(words[2]), datetime.fromtimestamp(float(words[3]), UTC)))
