"""What a record may say: codes, numbers and references in the clear; anything about a person only as a salted digest.

    act.record("person", id, {"username": Secret("wangli"), "role": "handler"})

The ledger replaces a `Secret` by the digest of the record's own random salt and the value. Salts stay in the database and leave in no export, so that nobody can
guess values from an exported record; whoever holds a value and is given the salt can show that it is the recorded one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from haitang.support.security.cryptography.suites import ED25519, Suite
from haitang.support.security.evidence.canonical import canonical

_AS_IT_IS = frozenset({str, int, float, bool})


@dataclass(frozen=True)
class Secret:
    """A value that enters the ledger as salted digest only."""

    value: Any


def salted(salt: bytes, value: Any, suite: Suite = ED25519) -> str:
    """The hex digest H(salt || canonical value), H being the suite's hash."""
    return suite.hash(salt + canonical(plain(value, salt, suite))).hex()


def plain(value: Any, salt: bytes, suite: Suite = ED25519) -> Any:
    """`value` as a JSON value: times in ISO 8601, decimals and ids as text, secrets as `{"salted": SHA-256}` or `{"salted_sm3": SM3}`."""
    if value is None or type(value) in _AS_IT_IS:  # most values; an enumeration's member is of another type
        return value
    if isinstance(value, Secret):
        return {"salted" if suite is ED25519 else f"salted_{suite.hash_name}": salted(salt, value.value, suite)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner, salt, suite) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner, salt, suite) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return plain(value.value, salt, suite)
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return value
