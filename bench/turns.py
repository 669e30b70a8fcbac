"""A client's side of a benchmark: one connection that sends a request, waits for its answer, sends the next."""

import asyncio
import time


class Turns(asyncio.Protocol):
    """Sends its requests one after the other from `begin` on; `done` is set at the last answer. What comes in is for a subclass to read: it calls `answered`."""

    def __init__(self, requests: list[bytes], latencies: list[float]) -> None:
        self.requests, self.latencies, self.next, self.sent = requests, latencies, 0, 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def begin(self) -> None:
        """Send the request whose turn it is."""
        self.sent = time.perf_counter()
        self.transport.write(self.requests[self.next])  # type: ignore[attr-defined]

    def answered(self) -> None:
        """The answer is there: note how long it took and go on."""
        self.latencies.append(time.perf_counter() - self.sent)
        self.next += 1
        if self.next == len(self.requests):
            self.done.set_result(None)
        else:
            self.go_on()

    def go_on(self) -> None:
        """When the next request goes out: at once."""
        self.begin()

    def refused(self, said: bytes) -> None:
        """An answer that is none ends it."""
        self.done.set_exception(RuntimeError(said[:500].decode("utf-8", "replace")))

    def connection_lost(self, reason: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(reason or ConnectionError("closed before the last answer"))


class HttpTurns(Turns):
    """Over HTTP: each answer is read to its end. Its head alone is none: the rest of it and the head of the next can come as one."""

    kept = b""

    def begin(self) -> None:
        self.kept = b""
        super().begin()

    def data_received(self, data: bytes) -> None:
        self.kept += data
        if self.done.done() or not whole(self.kept):
            return
        if self.kept.startswith(b"HTTP/1.1 200 "):
            self.answered()
        else:
            self.refused(self.kept)


def whole(data: bytes) -> bool:
    """Whether an answer is there to its end."""
    head, there, body = data.partition(b"\r\n\r\n")
    if not there:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n")
