"""Making and checking device secrets.

A secret is 256 random bits, so SHA-256 with a salt of its own is as hard to reverse as it is to guess: a slow password hash would add nothing but load.
"""

import hashlib
import hmac
import secrets
from base64 import b32encode

SALT_BYTES, SECRET_BYTES = 16, 32
LONGEST = 200  # characters; a longer one is no secret of ours and is not hashed


def new_identifier() -> str:
    """`d` and 16 characters that can be read out on the telephone."""
    return "d" + b32encode(secrets.token_bytes(10)).decode().lower()


def new_secret() -> str:
    """256 bits as 43 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(SECRET_BYTES)


def new_salt() -> bytes:
    return secrets.token_bytes(SALT_BYTES)


def digest(salt: bytes, secret: str) -> bytes:
    return hashlib.sha256(salt + secret.encode()).digest()


def matches(salt: bytes, expected: bytes, told: str) -> bool:
    """Whether `told` is the secret; takes the same time whatever is wrong with it."""
    return len(told) <= LONGEST and hmac.compare_digest(digest(salt, told), expected)
