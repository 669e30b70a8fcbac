"""The picture that stands for a photo of the handler in the demonstration: drawn, so that no real photo is needed and nobody takes it for one."""

import struct
import zlib

WIDTH, HEIGHT = 480, 320
SKY, GROUND, WALL, NET = (201, 212, 219), (150, 131, 112), (222, 226, 230), (74, 124, 89)


def _colour(x: int, y: int) -> tuple[int, int, int]:
    """A building site under a net: sky, two blocks, ground with furrows."""
    if y > 235:
        return NET if 40 < x < 300 and y < 290 and (x + y) % 9 else GROUND
    if (80 < x < 170 and y > 110) or (300 < x < 420 and y > 70):
        return (120, 134, 148) if x % 30 < 14 and y % 34 < 18 else WALL
    return SKY


def picture() -> bytes:
    """A PNG (RFC 2083)."""
    rows = b"".join(b"\0" + bytes(part for x in range(WIDTH) for part in _colour(x, y)) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
