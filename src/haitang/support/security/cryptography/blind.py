"""Blind index: who holds a value and the instance's key can look it up; whoever holds only the index learns nothing.

An entry is the first 64 bits of HMAC(key, kind || 0x00 || normalized value) (RFC 2104, FIPS 198-1) with the hash of the suite that the setting names: SHA-256, or SM3 (GB/T 15852.2).
A search asks for the entries of every suite, so that a change of the setting hides nothing. 64 bits keep 100,000 of them small; two different people share an
entry with a chance of about 1 in 10^10 for a ledger that has seen 10^9 of them, and an auditor sees the record, not the entry. The entries are pseudonyms, not anonymous:
who has the key and a list of all numbers can undo them, so the key lies with the private keys and never in an export.
"""

import hmac
import os
from collections.abc import Callable, Iterable, Mapping
from struct import Struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from haitang.support.security.cryptography.keys import kept

_SIGNED = Struct(">q")
BYTES = _SIGNED.size


def _key() -> bytes:
    return bytes.fromhex(kept("blind-index-1.key", lambda: os.urandom(32).hex().encode()).decode("ascii"))


def _sha256(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _sm3(key: bytes, message: bytes) -> bytes:
    made = HMAC(key, hashes.SM3())
    made.update(message)
    return made.finalize()


_BY: Mapping[str, Callable[[bytes, bytes], bytes]] = {"sha256": _sha256, "sm3": _sm3}


def entries(values: Iterable[tuple[str, str]], hash_name: str = "sha256") -> list[int]:
    """One entry for each (kind, normalized value), as PostgreSQL's signed bigint; `hash_name` is that of a suite."""
    if not (values := list(values)):
        return []
    key, by = _key(), _BY[hash_name]
    return [_SIGNED.unpack(by(key, f"{kind}\0{value}".encode())[:BYTES])[0] for kind, value in values]


def packed(found: Iterable[int]) -> bytes:
    """Distinct entries in ascending order, eight bytes each: what a digest commits to."""
    return b"".join(map(_SIGNED.pack, sorted(set(found))))
