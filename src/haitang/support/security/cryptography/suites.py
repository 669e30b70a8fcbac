"""Suites: a hash and a signature algorithm under one name, which stands in every file that they sign.

The seam for national cryptography: a suite `sm2-sm3` is one more entry of `SUITES`. Pure (standard library and `cryptography`), for the offline verifier.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from haitang.support.security.evidence.merkle import Hash, sha256


@dataclass(frozen=True)
class Suite:
    """`generate` makes a private key (PEM), `public` gives the raw public key of one, `verify` is False for whatever does not hold."""

    name: str
    hash: Hash
    generate: Callable[[], bytes]
    public: Callable[[bytes], bytes]
    sign: Callable[[bytes, bytes], bytes]
    verify: Callable[[bytes, bytes, bytes], bool]

    def key_id(self, public: bytes) -> str:
        """The first 16 hex digits of the public key's hash."""
        return self.hash(public).hex()[:16]


def _private(pem: bytes) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def _generate() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(pem: bytes) -> bytes:
    return _private(pem).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _sign(pem: bytes, message: bytes) -> bytes:
    return _private(pem).sign(message)


def _verify(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


ED25519 = Suite("ed25519-sha256", sha256, _generate, _public, _sign, _verify)
SUITES: Mapping[str, Suite] = {ED25519.name: ED25519}


def in_use() -> Suite:
    """The suite that this instance hashes and signs with."""
    return ED25519
