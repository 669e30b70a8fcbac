"""Which encoding a file has, and a block of its bytes as UTF-8 whose line breaks stand one to one with those of the file."""

import codecs
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from haitang.hub.data.gather.readers.opened import Opened

Encoding = Literal["utf-8", "gb18030", "utf-16-le", "utf-16-be"]
_BLOCK = 1 << 20
_HIGH = bytes(range(128, 256))
_BREAKS = re.compile(rb"(?<=\n)|(?<=\r)(?!\n)")


@dataclass(frozen=True)
class Decoding:
    """The encoding, and how many bytes of byte order mark the file begins with."""

    encoding: Encoding
    mark: int = 0

    @property
    def width(self) -> int:
        """Bytes of the smallest unit."""
        return 2 if self.encoding.startswith("utf-16") else 1


_MARKS: tuple[tuple[bytes, Decoding], ...] = (
    (codecs.BOM_UTF8, Decoding("utf-8", 3)),
    (codecs.BOM_UTF16_LE, Decoding("utf-16-le", 2)),
    (codecs.BOM_UTF16_BE, Decoding("utf-16-be", 2)),
)


def detect(file: Opened, told: str | None = None) -> Decoding:
    """By the mark, else by what the first block with anything but ASCII decodes as: UTF-8 is hardly ever met by chance, so it is tried first."""
    block = file.read(_BLOCK)
    for mark, decoding in _MARKS:
        if block.startswith(mark):
            return decoding
    if told:
        return Decoding("utf-16-le") if told == "utf-16" else Decoding("gb18030" if told == "gb18030" else "utf-8")
    if block[:512].count(0) > len(block[:512]) // 4:
        return Decoding("utf-16-be" if block[:1] == b"\0" else "utf-16-le")
    first = True
    while block and block.isascii():
        block, first = file.read(_BLOCK), False
    return Decoding(_of(block, first, len(block) < _BLOCK))


def _of(block: bytes, begins: bool, ends: bool) -> Encoding:
    """UTF-8 where most of what is not ASCII stands in lines that are UTF-8: by chance few short lines are, while GB18030 takes almost anything."""
    lines = block.splitlines()
    if len(lines) > 2:  # the first and last of a block may be cut in the middle of a character
        lines = lines[0 if begins else 1 : None if ends else -1]
    elif not ends:
        lines = [line[3:-3] for line in lines]
    weights = {line: len(line) - len(line.translate(None, _HIGH)) for line in lines if not line.isascii()}
    right = {encoding: sum(weight for line, weight in weights.items() if _decodes(line, encoding)) for encoding in ("utf-8", "gb18030")}
    return "gb18030" if 2 * right["utf-8"] < sum(weights.values()) and right["gb18030"] > right["utf-8"] else "utf-8"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


@dataclass(frozen=True)
class Block:
    """Some whole lines as UTF-8. `spoiled`: the (start, end) in `text` of lines with bytes that no character is made of, replaced by U+FFFD."""

    text: bytes
    spoiled: list[tuple[int, int]]


def whole_lines(raw: bytes, decoding: Decoding, final: bool) -> bytes:
    """As much of `raw` as ends with a line break; all of it where the file ends."""
    if final:
        return raw
    if decoding.width == 1 and (feed := raw.rfind(b"\n")) >= 0:
        return raw[: feed + 1]
    units = _units(raw, decoding)
    feeds = np.flatnonzero(units == 10)
    if not len(feeds):
        feeds = np.flatnonzero(units[:-1] == 13)  # a last one may be the first half of a CRLF
    return raw[: (int(feeds[-1]) + 1) * decoding.width] if len(feeds) else b""


def next_lines(rest: bytes, more: bytes, decoding: Decoding, final: bool) -> tuple[bytes, bytes]:
    """The whole lines of `rest` and what follows it, and what follows the last of them. Most of it is copied once."""
    if not final and decoding.width == 1 and (feed := more.rfind(b"\n")) >= 0:
        return b"".join((rest, memoryview(more)[: feed + 1])), more[feed + 1 :]
    raw = rest + more
    lines = whole_lines(raw, decoding, final)
    return lines, raw[len(lines) :]


def decode(raw: bytes, decoding: Decoding) -> Block:
    """Whole lines of the file as UTF-8."""
    if decoding.encoding == "utf-8" and _is_utf8(raw):
        return Block(raw, [])
    try:
        text = raw.decode(decoding.encoding)
        return Block(raw if decoding.encoding == "utf-8" else text.encode("utf-8", "replace"), [])
    except UnicodeDecodeError:
        return _line_by_line(raw, decoding)


def _is_utf8(raw: bytes) -> bool:
    """As Arrow finds it out: many times faster than making a text of it."""
    ends = pa.py_buffer(np.array([0, len(raw)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(raw)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _line_by_line(raw: bytes, decoding: Decoding) -> Block:
    lines = _BREAKS.split(raw) if decoding.width == 1 else _wide_lines(raw, decoding)
    parts: list[bytes] = []
    spoiled: list[tuple[int, int]] = []
    at = 0
    for line in lines:
        text = line.decode(decoding.encoding, "replace").encode("utf-8", "replace")
        if not _decodes(line, decoding.encoding):
            spoiled.append((at, at + len(text)))
        parts.append(text)
        at += len(text)
    return Block(b"".join(parts), spoiled)


def _wide_lines(raw: bytes, decoding: Decoding) -> list[bytes]:
    units = _units(raw, decoding)
    ends = [int(end) * 2 + 2 for end in np.flatnonzero((units == 10) | (units == 13))]
    return [raw[start:end] for start, end in zip([0, *ends], [*ends, len(raw)], strict=True)]


def _units(raw: bytes, decoding: Decoding) -> "np.typing.NDArray[np.uint16] | np.typing.NDArray[np.uint8]":
    if decoding.width == 1:
        return np.frombuffer(raw, np.uint8)
    return np.frombuffer(raw, "<u2" if decoding.encoding == "utf-16-le" else ">u2", len(raw) // 2)


def length_of(raw: bytes, breaks: int, decoding: Decoding) -> int:
    """How many bytes of the file the first `breaks` CR and LF take, up to and with the last of them."""
    if not breaks:
        return 0
    units = _units(raw, decoding)
    return (int(np.flatnonzero((units == 10) | (units == 13))[breaks - 1]) + 1) * decoding.width
