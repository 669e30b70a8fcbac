"""Identifiers that sort by the time they were made, and texts that may be one."""

import os
import time
from uuid import UUID


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then random."""
    millis = time.time_ns() // 1_000_000
    value = (millis << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def id_of(text: str) -> UUID | None:
    """The identifier that a text is; None for any other text."""
    try:
        return UUID(text)
    except ValueError:
        return None
