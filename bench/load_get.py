"""Readers of the JSON API, in a process of their own: each connection sends a GET, waits for its whole answer, sends the next.

python -m bench.load_get PORT TOKEN CONNECTIONS < paths (a line each; connection n takes every n-th)
"""

import asyncio
import json
import sys
import time


class Reader(asyncio.Protocol):
    """Sends its requests one after the other; `done` is set at the last answer."""

    def __init__(self, requests: list[bytes], latencies: list[float]) -> None:
        self.requests, self.latencies, self.next, self.kept = requests, latencies, 0, b""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def begin(self) -> None:
        self.kept, self.sent = b"", time.perf_counter()
        self.transport.write(self.requests[self.next])  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.kept += data
        if self.done.done() or not whole(self.kept):
            return
        if not self.kept.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(self.kept[:500].decode("utf-8", "replace")))
            return
        self.latencies.append(time.perf_counter() - self.sent)
        self.next += 1
        if self.next == len(self.requests):
            self.done.set_result(None)
        else:
            self.begin()

    def connection_lost(self, reason: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(reason or ConnectionError("closed before the last answer"))


def whole(data: bytes) -> bool:
    """Whether an answer is there to its end."""
    head, there, body = data.partition(b"\r\n\r\n")
    if not there:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n")


async def main(port: int, token: str, connections: int) -> None:
    loop, latencies = asyncio.get_running_loop(), list[float]()
    made = [
        f"GET {path.strip()} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nAccept: application/json\r\n\r\n".encode()
        for path in sys.stdin
    ]
    readers = []
    for number in range(connections):
        mine = made[number::connections]
        readers.append((await loop.create_connection(lambda mine=mine: Reader(mine, latencies), "127.0.0.1", port))[1])  # type: ignore[misc]
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
