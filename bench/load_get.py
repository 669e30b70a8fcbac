"""Readers of the JSON API, in a process of their own: each connection sends a GET, waits for its whole answer, sends the next.

python -m bench.load_get PORT TOKEN CONNECTIONS < paths (a line each; connection n takes every n-th)
"""

import asyncio
import json
import sys
import time

from bench.turns import HttpTurns


async def main(port: int, token: str, connections: int) -> None:
    loop, latencies = asyncio.get_running_loop(), list[float]()
    made = [
        f"GET {path.strip()} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n\r\n".encode()
        for path in sys.stdin
    ]
    readers = []
    for number in range(connections):
        mine = made[number::connections]
        readers.append((await loop.create_connection(lambda mine=mine: HttpTurns(mine, latencies), "127.0.0.1", port))[1])  # type: ignore[misc]
    began, used = time.perf_counter(), time.process_time()
    for reader in readers:
        reader.begin()
    await asyncio.gather(*(reader.done for reader in readers))
    seconds = time.perf_counter() - began
    latencies.sort()
    print(json.dumps({
        "answered": len(latencies), "seconds": seconds, "processor": time.process_time() - used,
        "p50": latencies[len(latencies) // 2], "p95": latencies[len(latencies) * 95 // 100], "p99": latencies[len(latencies) * 99 // 100],
    }))  # fmt: skip


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
