"""The text of a token: `ht_<prefix>_<secret>`. The secret has 256 bits, so a plain digest of it cannot be guessed back."""

import hashlib
import re
import secrets

FORM = re.compile(r"ht_([a-z2-9]{10})_([A-Za-z0-9_-]{43})")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new() -> tuple[str, str]:
    """(prefix, whole token)."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return prefix, f"ht_{prefix}_{secrets.token_urlsafe(32)}"


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def prefix_of(token: str) -> str | None:
    """The prefix of what looks like a token of ours."""
    found = FORM.fullmatch(token)
    return found[1] if found else None
