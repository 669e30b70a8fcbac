"""Data types of MQTT on the wire (3.1.1 and 5, section 1.5)."""

from dataclasses import dataclass
from typing import Any

MALFORMED, PROTOCOL_ERROR = 0x81, 0x82
LONGEST_VARIABLE = 268_435_455


class MqttError(Exception):
    """What the other side did wrong; `reason` is MQTT 5's code, with which it is told."""

    def __init__(self, reason: int, text: str) -> None:
        super().__init__(text)
        self.reason, self.text = reason, text


def malformed(text: str) -> MqttError:
    return MqttError(MALFORMED, text)


def protocol_error(text: str) -> MqttError:
    return MqttError(PROTOCOL_ERROR, text)


@dataclass(slots=True)
class Cursor:
    """Reads one packet's bytes; raises MqttError where they end too soon."""

    data: bytes
    at: int = 0

    def take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self.data):
            raise malformed("packet ends too soon")
        found, self.at = self.data[self.at : end], end
        return found

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    @property
    def done(self) -> bool:
        return self.at >= len(self.data)

    def byte(self) -> int:
        return self.take(1)[0]

    def two(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def four(self) -> int:
        return int.from_bytes(self.take(4), "big")

    def variable(self) -> int:
        """A variable byte integer, in the fewest bytes that hold it."""
        value = 0
        for place in range(4):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                if place and not byte:
                    raise malformed("variable byte integer is longer than it need be")
                return value
        raise malformed("variable byte integer of more than four bytes")

    def binary(self) -> bytes:
        """Two bytes of length, then so many."""
        data, at = self.data, self.at + 2
        end = at + int.from_bytes(data[at - 2 : at], "big")
        if end > len(data) or at > len(data):
            raise malformed("packet ends too soon")
        self.at = end
        return data[at:end]

    def text(self) -> str:
        """A UTF-8 string: no surrogates, no U+0000."""
        try:
            found = self.binary().decode("utf-8")
        except UnicodeDecodeError:
            raise malformed("string is not UTF-8") from None
        if "\0" in found:
            raise malformed("string contains U+0000")
        return found

    def pair(self) -> tuple[str, str]:
        return self.text(), self.text()


def two(value: int) -> bytes:
    return value.to_bytes(2, "big")


def four(value: int) -> bytes:
    return value.to_bytes(4, "big")


def variable(value: int) -> bytes:
    """Raises ValueError above LONGEST_VARIABLE."""
    if not 0 <= value <= LONGEST_VARIABLE:
        raise ValueError(value)
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def binary(value: bytes) -> bytes:
    return two(len(value)) + value


def text(value: str) -> bytes:
    return binary(value.encode())


def pair(value: tuple[str, str]) -> bytes:
    return text(value[0]) + text(value[1])


def one(value: Any) -> bytes:
    return bytes([value])
