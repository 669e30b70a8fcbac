"""Frames out of a byte stream in arbitrary chunks.

    ##  length (4 decimal digits)  segment  checksum (4 hexadecimal digits)  CR LF

- By length, in bytes; where that does not lead to a checksum, in characters (stations with Chinese text count either).
- An encrypted segment of 2025 (`CP=&&{0x`) is longer than its length says, which is that of the plaintext: it ends at `&&`, checksum, CR LF.
- CR LF or the head of another frame inside a segment means that the length was wrong or the frame was cut: it is given up at once, and reading goes on at
  the next `##`, so that one broken frame never swallows a good one.
- A missing CR LF is tolerated: a frame is complete with its checksum.

What is held is bounded by the largest frame, whatever arrives.
"""

import re
from dataclasses import dataclass

import msgspec

LONGEST_SEGMENT = 1024  # characters, by the standard
LONGEST_ENCRYPTED = 8 * 1024  # bytes: 1024 characters written as `0x41,` and some room
_HEAD, _SIZE, _CHECK = b"##", 6, 4
_CUT = re.compile(rb"\r\n|##\d{4}[A-Za-z]{2,4}=")
_ENCRYPTED = re.compile(rb"CP=&&\{", re.IGNORECASE)
_ENCRYPTED_END = re.compile(rb"&&([0-9A-Fa-f]{4})(?=\r\n|##)")
_HEX = re.compile(rb"[0-9A-Fa-f]{4}\Z")
_TAIL = re.compile(rb"&&[0-9A-Fa-f]{4}\Z")


class Frame(msgspec.Struct, frozen=True):
    """A frame whose shape is whole; whether its checksum holds is not yet looked at. `length` is what the frame says."""

    segment: bytes
    check: bytes
    length: int
    encrypted: bool = False


@dataclass(frozen=True)
class Broken:
    """Bytes that are no frame: `reason` is noise, length, oversized or cut; `raw` their beginning."""

    reason: str
    raw: bytes


class Framer:
    """Feed it what a socket gives; it gives frames and broken pieces in order."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._lost = False

    @property
    def held(self) -> int:
        """Bytes waiting for the rest of their frame."""
        return len(self._held)

    def feed(self, chunk: bytes) -> list[Frame | Broken]:
        found: list[Frame | Broken] = []
        if not self._held:
            chunk = self._straight(chunk, found)
        self._held += chunk
        while self._held and self._seek(found):
            taken = self._take()
            if taken is None:
                break
            found.append(taken)
        return found

    def _straight(self, chunk: bytes, found: list[Frame | Broken]) -> bytes:
        """Take the frames that stand whole and beyond doubt at the front, which is nearly all of them; gives the rest, which is looked at closely."""
        at = 0
        while (
            chunk.startswith(_HEAD, at) and (digits := chunk[at + 2 : at + _SIZE]).isdigit() and (length := int(digits)) <= LONGEST_SEGMENT
        ):
            end = at + _SIZE + length
            segment, check = chunk[at + _SIZE : end], chunk[end : end + _CHECK]
            if b"\r\n" in segment or _HEAD in segment or b"&&{" in segment or not (segment.endswith(b"&&") and _HEX.match(check)):
                break
            found.append(Frame(segment, check, length))
            self._lost = False
            at = end + _CHECK
            if chunk.startswith(b"\r\n", at):
                at += 2
        return chunk[at:]

    def _seek(self, found: list[Frame | Broken]) -> bool:
        """Bring a head to the front; False when there is none yet."""
        at = self._held.find(_HEAD)
        skip = at if at >= 0 else len(self._held) - self._held.endswith(b"#")
        noise = bytes(self._held[:skip]).strip()
        if noise and not self._lost:
            found.append(Broken("noise", noise[:200]))
            self._lost = True
        del self._held[:skip]
        return at >= 0

    def _take(self) -> Frame | Broken | None:
        """The frame at the front, None while it is incomplete."""
        if len(self._held) < _SIZE:
            return None
        digits = bytes(self._held[2:_SIZE])
        if not digits.isdigit():
            return self._give_up("length", 1)
        length = int(digits)
        if length > LONGEST_SEGMENT:
            return self._give_up("oversized", 2)
        sealed = _ENCRYPTED.search(self._held, _SIZE, _SIZE + length)
        if sealed:
            return self._take_encrypted(length, sealed.end())
        return self._take_plain(length)

    def _take_plain(self, length: int) -> Frame | Broken | None:
        end = _SIZE + length
        cut = _CUT.search(self._held, _SIZE, end + _CHECK)
        if cut:
            return self._give_up("cut", max(cut.start(), 2))
        if len(self._held) < end + _CHECK:
            return None
        if _TAIL.match(self._held, end - 2, end + _CHECK):
            return self._complete(end, length)
        by_characters = self._end_by_characters(length)
        if by_characters is None:
            return None
        if by_characters and _TAIL.match(self._held, by_characters - 2, by_characters + _CHECK):
            return self._complete(by_characters, length)
        return self._give_up("cut", 2)

    def _end_by_characters(self, length: int) -> int | None:
        """Where `length` UTF-8 characters end; 0 when that is where the bytes end, None while it is not to be known."""
        text = self._held[_SIZE : _SIZE + 4 * length]
        starts = 0
        for offset, byte in enumerate(text):
            if starts == length and byte & 0xC0 != 0x80:
                end = _SIZE + offset
                if end == _SIZE + length:
                    return 0
                return end if len(self._held) >= end + _CHECK else None
            starts += byte & 0xC0 != 0x80
        return None if len(text) < 4 * length else 0

    def _take_encrypted(self, length: int, body: int) -> Frame | Broken | None:
        end = _ENCRYPTED_END.search(self._held, body, LONGEST_ENCRYPTED + _SIZE)
        cut = _CUT.search(self._held, body, end.start() if end else LONGEST_ENCRYPTED + _SIZE)
        if cut:
            return self._give_up("cut", cut.start())
        if end:
            return self._complete(end.start() + 2, length, encrypted=True)
        return self._give_up("oversized", 2) if len(self._held) >= LONGEST_ENCRYPTED + _SIZE else None

    def _complete(self, end: int, length: int, *, encrypted: bool = False) -> Frame:
        frame = Frame(bytes(self._held[_SIZE:end]), bytes(self._held[end : end + _CHECK]), length, encrypted)
        del self._held[: end + _CHECK]
        self._lost = False
        return frame

    def _give_up(self, reason: str, skip: int) -> Broken:
        broken = Broken(reason, bytes(self._held[:200]))
        del self._held[:skip]
        self._lost = True
        return broken
