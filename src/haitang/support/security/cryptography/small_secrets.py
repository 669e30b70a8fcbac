"""Keeps small secrets in the database unreadable to who has the database alone: AES-256-GCM under a key derived from the instance's secret."""

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from haitang.base.settings import settings


def _key(purpose: str) -> bytes:
    return HKDF(SHA256(), 32, None, b"haitang sealed " + purpose.encode()).derive(settings().secret_key.encode() or b"checks only")


def seal(secret: str, purpose: str) -> str:
    """The secret as text that only `unseal` with the same purpose opens."""
    nonce = os.urandom(12)
    return base64.b64encode(nonce + AESGCM(_key(purpose)).encrypt(nonce, secret.encode(), purpose.encode())).decode()


def unseal(text: str, purpose: str) -> str:
    """The secret; raises cryptography's InvalidTag where the text was changed, or the instance's secret is another."""
    raw = base64.b64decode(text)
    return AESGCM(_key(purpose)).decrypt(raw[:12], raw[12:], purpose.encode()).decode()


def keyed_digest(value: str, purpose: str) -> str:
    """HMAC-SHA-256 in hex, for random values that are looked up but not kept."""
    return hmac.new(_key(f"digest {purpose}"), value.encode(), hashlib.sha256).hexdigest()
