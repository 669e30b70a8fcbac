"""Blind index: who holds a value and the instance's key can look it up; whoever holds only the index learns nothing.

An entry is the first 64 bits of HMAC-SHA256(key, kind || 0x00 || normalized value) (RFC 2104, FIPS 198-1). 64 bits keep 100,000 of them small; two different people share an
entry with a chance of about 1 in 10^10 for a ledger that has seen 10^9 of them, and an auditor sees the record, not the entry. The entries are pseudonyms, not anonymous:
who has the key and a list of all numbers can undo them, so the key lies with the private keys and never in an export.
"""

import hmac
import os
from collections.abc import Iterable
from struct import Struct

from haitang.support.security.cryptography.keys import kept

_SIGNED = Struct(">q")
BYTES = _SIGNED.size


def _key() -> bytes:
    return bytes.fromhex(kept("blind-index-1.key", lambda: os.urandom(32).hex().encode()).decode("ascii"))


def entries(values: Iterable[tuple[str, str]]) -> list[int]:
    """One entry for each (kind, normalized value), as PostgreSQL's signed bigint."""
    key = _key()
    return [_SIGNED.unpack(hmac.digest(key, f"{kind}\0{value}".encode(), "sha256")[:BYTES])[0] for kind, value in values]


def packed(found: Iterable[int]) -> bytes:
    """Distinct entries in ascending order, eight bytes each: what a digest commits to."""
    return b"".join(map(_SIGNED.pack, sorted(set(found))))
