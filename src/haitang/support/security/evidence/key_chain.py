"""What keys say of each other, as pure functions that the instance and the offline verifier share.

A key's statement names the key before it, whole. The key before signs it (endorsement) and so does the key itself (possession): whoever pinned one key can walk to every later one, and
from the statement of a pinned key to those before it. A compromise is a statement signed by another key of the chain.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from haitang.support.security.cryptography.suites import SUITES
from haitang.support.security.evidence.canonical import canonical

KEY, COMPROMISE = "haitang-key/1", "haitang-key-compromise/1"
Line = Mapping[str, Any]


def statement(key: Line, previous: Line | None) -> bytes:
    """The canonical statement of a key: what endorsement and possession sign the digest of."""
    told = {name: key[name] for name in ("id", "suite", "public", "created_at", "starts_at", "previous")}
    return canonical({"format": KEY, **told, "previous_public": previous["public"] if previous else None})


def compromise_statement(compromise: Line) -> bytes:
    return canonical({"format": COMPROMISE, **{name: compromise[name] for name in ("key", "since", "declared_at", "reason", "by")}})


def signed(key: Line, message: bytes, signature: str) -> bool:
    """Whether `key` signed the digest of `message`, by the key's own suite."""
    suite = SUITES[key["suite"]]
    return suite.verify(bytes.fromhex(key["public"]), suite.hash(message), bytes.fromhex(signature))


def own_id(key: Line) -> bool:
    """Whether a key has the id that follows from it."""
    return bool(SUITES[key["suite"]].key_id(bytes.fromhex(key["public"])) == key["id"])


def possessed(key: Line, known: Mapping[str, Line]) -> bool:
    """Whether the key itself signed its statement; a key of an older version, which made none, is only what it is."""
    if not key["possession"]:
        return key["previous"] is None
    return signed(key, statement(key, known.get(key["previous"] or "")), key["possession"])


def endorsed(key: Line, known: Mapping[str, Line]) -> bool:
    """Whether the key named as previous is known and signed this key's statement."""
    previous = known.get(key["previous"] or "")
    return previous is not None and signed(previous, statement(key, previous), key["endorsement"])


def trusted(keys: Iterable[Line], pinned: bytes) -> set[str]:
    """Ids of the keys that the pinned public key vouches for: itself, those after it by endorsement, those before it by its own statement."""
    known = {key["id"]: key for key in keys if own_id(key)}
    found = {id for id, key in known.items() if bytes.fromhex(key["public"]) == pinned}
    grew = True
    while grew:
        after = {id for id, key in known.items() if key["previous"] in found and endorsed(key, known) and possessed(key, known)}
        before = {key["previous"] for id, key in known.items() if id in found and key["previous"] in known and possessed(key, known)}
        grew = not (after | before) <= found
        found |= after | before
    return found
