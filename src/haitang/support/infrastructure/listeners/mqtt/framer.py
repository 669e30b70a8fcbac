"""Bytes of a connection to packets: first byte and body."""

from collections.abc import Iterator

from haitang.support.infrastructure.listeners.mqtt.wire import MqttError, malformed

TOO_LARGE = 0x95


class Framer:
    """Feed it what the socket brings, however it is cut. `largest` counts the whole packet; raises MqttError."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._waiting = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        self._waiting += data
        while found := self._next():
            yield found

    def _next(self) -> tuple[int, bytes] | None:
        head = self._head()
        if head is None:
            return None
        start, length = head
        if start + length > self._largest:
            raise MqttError(TOO_LARGE, f"packet of {start + length} bytes, more than {self._largest}")
        if len(self._waiting) < start + length:
            return None
        first, body = self._waiting[0], bytes(self._waiting[start : start + length])
        del self._waiting[: start + length]
        return first, body

    def _head(self) -> tuple[int, int] | None:
        """Length of the fixed header, and the remaining length that it says."""
        length = 0
        for place in range(4):
            if len(self._waiting) < place + 2:
                return None
            byte = self._waiting[place + 1]
            length |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                return place + 2, length
        raise malformed("remaining length of more than four bytes")
