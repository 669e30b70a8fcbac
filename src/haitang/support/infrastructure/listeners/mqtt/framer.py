"""Bytes of a connection to packets: first byte and body."""

from collections.abc import Iterator

from haitang.support.infrastructure.listeners.mqtt.wire import MqttError, malformed

TOO_LARGE = 0x95


class Framer:
    """Feed it what the socket brings, however it is cut. `largest` counts the whole packet; raises MqttError."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._waiting = bytearray()
        self._wanted = 0  # bytes of the packet at the front, 0 while that is not known

    @property
    def partly(self) -> bool:
        """Whether bytes wait for the rest of a packet."""
        return bool(self._waiting)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        if self._waiting:
            self._waiting += data
            if len(self._waiting) < self._wanted:
                return
            data = bytes(self._waiting)
            self._waiting.clear()
        at, end = 0, len(data)
        while True:
            start, length = self._head(data, at, end)
            self._wanted = start - at + length if start else 0
            if self._wanted > self._largest:
                raise MqttError(TOO_LARGE, f"packet of {self._wanted} bytes, more than {self._largest}")
            if not start or start + length > end:
                break
            yield data[at], data[start : start + length]
            at = start + length
        self._waiting += data[at:]

    def _head(self, data: bytes, at: int, end: int) -> tuple[int, int]:
        """Where the body begins, and the remaining length that the fixed header says; zeros while the header is not whole."""
        if at + 1 < end and data[at + 1] < 0x80:
            return at + 2, data[at + 1]
        length = 0
        for place in range(4):
            if at + place + 1 >= end:
                return 0, 0
            byte = data[at + place + 1]
            length |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                return at + place + 2, length
        raise malformed("remaining length of more than four bytes")
