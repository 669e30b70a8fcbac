"""The canonical header of a seal, as pure functions that sealer and offline verifier share."""

from collections.abc import Mapping
from typing import Any

from haitang.support.security.cryptography.suites import Suite
from haitang.support.security.evidence.canonical import canonical

FORMAT = "haitang-seal/1"
NOTHING_BEFORE = "0" * 64
HEADER = ("number", "first", "last", "count", "root", "previous", "sealed_at", "suite", "key")


def header(seal: Mapping[str, Any]) -> dict[str, Any]:
    """What `chain` is the digest of: the members `HEADER` of a seal, with the format's name."""
    return {"format": FORMAT, **{name: seal[name] for name in HEADER}}


def chain(seal: Mapping[str, Any], suite: Suite) -> bytes:
    """The digest of a seal's header, which contains the root and the chain of the seal before: what is signed."""
    return suite.hash(canonical(header(seal)))
