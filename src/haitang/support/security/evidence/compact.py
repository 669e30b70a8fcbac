"""The compact receipt: the proof that one record stands in a signed seal, small enough for a QR code. Pure, for the offline verifier.

It is a msgpack array (version, leaf, index, audit path, seal number, first, last, count, previous, sealed_at in microseconds, suite, key id, signature), written in base32 without
padding behind `…/R/`, because digits and capitals take least room in a QR code. The seal's root is not in it: it follows from leaf and path, so that leaf, path and header stand or fall together
under the signature. Nothing that is not signed is in it, so neither record nor its id: who holds the record's canonical text compares H(0x00 || text) with `leaf`.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from haitang.support.security.cryptography.suites import SUITES
from haitang.support.security.evidence import key_chain, seals
from haitang.support.security.evidence.merkle import node_hash

VERSION, DIGEST = 1, 32
MARK = "/R/"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ReceiptFault(ValueError):
    """Why a text is no receipt; `code` for programs."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Compact:
    """A receipt that was read; `seal` is the header with `root` and `chain` as they follow from it, and the signature."""

    leaf: str
    index: int
    path: tuple[str, ...]
    seal: Mapping[str, Any]


class _Written(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    version: int
    leaf: bytes
    index: int
    path: bytes
    number: int
    first: int
    last: int
    count: int
    previous: bytes
    sealed_at: int
    suite: str
    key: bytes
    signature: bytes


def write(leaf: bytes, index: int, path: Iterable[bytes], seal: Mapping[str, Any]) -> str:
    """The base32 text of a receipt; `seal` as in exports."""
    sealed_at = (datetime.fromisoformat(seal["sealed_at"]) - _EPOCH) // timedelta(microseconds=1)
    told = _Written(
        VERSION, leaf, index, b"".join(path), seal["number"], seal["first"], seal["last"], seal["count"],
        bytes.fromhex(seal["previous"]), sealed_at, seal["suite"], bytes.fromhex(seal["key"]), bytes.fromhex(seal["signature"]),
    )  # fmt: skip
    return base64.b32encode(msgspec.msgpack.encode(told)).decode("ascii").rstrip("=")


def read(text: str) -> Compact:
    """Read a receipt, with or without the address before it; raises ReceiptFault `unreadable`."""
    letters = "".join(text.split()).upper().rpartition(MARK)[2]
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
        told = msgspec.msgpack.decode(raw, type=_Written)
        exact = write_again(told) == letters
        sealed_at = (_EPOCH + timedelta(microseconds=told.sealed_at)).isoformat(timespec="microseconds")
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError):
        raise ReceiptFault("unreadable") from None
    if not exact or told.version != VERSION or told.suite not in SUITES or len(told.path) % DIGEST or len(told.leaf) != DIGEST:
        raise ReceiptFault("unreadable")
    suite = SUITES[told.suite]
    path = [told.path[at : at + DIGEST] for at in range(0, len(told.path), DIGEST)]
    header = {
        "number": told.number, "first": told.first, "last": told.last, "count": told.count, "previous": told.previous.hex(),
        "sealed_at": sealed_at, "suite": told.suite, "key": told.key.hex(),
        "root": _root(told.leaf, told.index, told.count, path, suite.hash).hex(),
    }  # fmt: skip
    chain = seals.chain(header, suite).hex()
    seal = {**header, "chain": chain, "signature": told.signature.hex()}
    return Compact(told.leaf.hex(), told.index, tuple(step.hex() for step in path), seal)


def write_again(told: _Written) -> str:
    """One receipt has one spelling: what decodes to it and is written differently was changed."""
    return base64.b32encode(msgspec.msgpack.encode(told)).decode("ascii").rstrip("=")


def _root(leaf: bytes, index: int, size: int, path: list[bytes], hash: Any) -> bytes:
    """The root that leaf and path lead to (RFC 9162 section 2.1.3.2); raises ReceiptFault where the path does not fit the tree."""
    if not 0 <= index < size:
        raise ReceiptFault("unreadable")
    position, last, node = index, size - 1, leaf
    for partner in path:
        if last == 0:
            raise ReceiptFault("unreadable")
        if position % 2 or position == last:
            node = node_hash(partner, node, hash=hash)
            while position and not position % 2:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, partner, hash=hash)
        position, last = position >> 1, last >> 1
    if last:
        raise ReceiptFault("unreadable")
    return node


def holds(found: Compact, keys: Iterable[Mapping[str, Any]], pinned: bytes, compromised: Mapping[str, str] | None = None) -> None:
    """Raise ReceiptFault unless a key that `pinned` vouches for signed the seal: `unknown_key`, `key_compromised`, `signature`.

    `keys` is the published chain of keys; where the pinned key itself signed, it may be empty. `compromised`: key id -> since when (ISO 8601, UTC).
    """
    suite = SUITES[found.seal["suite"]]
    known = {key["id"]: key for key in keys}
    if suite.key_id(pinned) == found.seal["key"]:
        public = pinned
    elif found.seal["key"] in key_chain.trusted(known.values(), pinned):
        public = bytes.fromhex(known[found.seal["key"]]["public"])
    else:
        raise ReceiptFault("unknown_key")
    if found.seal["sealed_at"] >= (compromised or {}).get(found.seal["key"], "9999"):
        raise ReceiptFault("key_compromised")
    if not suite.verify(public, bytes.fromhex(found.seal["chain"]), bytes.fromhex(found.seal["signature"])):
        raise ReceiptFault("signature")
