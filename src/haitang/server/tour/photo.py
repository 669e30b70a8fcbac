"""A small picture that stands for the photo of the handler: a drawn PNG, so that no real photo is needed."""

import struct
import zlib

WIDTH, HEIGHT = 64, 48


def photo() -> bytes:
    """A valid PNG (RFC 2083): begonia-coloured ground under a grey sky."""
    sky, ground = bytes((176, 190, 197)) * WIDTH, bytes((194, 24, 91)) * WIDTH
    rows = b"".join(b"\0" + (sky if y < HEIGHT * 2 // 3 else ground) for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
