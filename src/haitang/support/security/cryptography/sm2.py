"""SM2 signatures with SM3 (GB/T 32918.2-2016, GB/T 32905-2016) by gmalg.

Private keys are PKCS#8 PEM as `openssl ecparam -name SM2` and `openssl pkey` read and write them; public keys are 65 bytes 04 || x || y; a signature is r || s, 64 bytes, as most
interfaces carry it (certificates and `openssl` use DER); the user id is the customary 1234567812345678 (GB/T 35276). gmalg computes in plain Python and not in constant time: an
instance that must pass a cryptography assessment keeps its key in a device (GM/T 0018), which would be another entry of `SUITES`.
"""

import base64
import hashlib

import gmalg
import gmalg.errors
from cryptography.hazmat.primitives import hashes

UID = b"1234567812345678"
_HEAD = bytes.fromhex(
    "308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420"
)  # PKCS#8, id-ecPublicKey, curve 1.2.156.10197.1.301
_PUBLIC = bytes.fromhex("a144034200")
_PRIVATE_BYTES, _PUBLIC_BYTES, _HALF = 32, 65, 32
_LABEL = "PRIVATE KEY"


def _by_hashlib(data: bytes) -> bytes:
    return hashlib.new("sm3", data).digest()


def _by_cryptography(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


sm3 = _by_hashlib if "sm3" in hashlib.algorithms_available else _by_cryptography


def generate() -> bytes:
    secret, key = gmalg.SM2().generate_keypair()
    return pem_of(secret.rjust(_PRIVATE_BYTES, b"\0"), key)


def pem_of(secret: bytes, key: bytes) -> bytes:
    """PKCS#8 PEM of a 32-byte secret and its 65-byte public key."""
    text = base64.b64encode(_HEAD + secret + _PUBLIC + key).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {_LABEL}-----", *lines, f"-----END {_LABEL}-----", ""]).encode("ascii")


def _parts(pem: bytes) -> tuple[bytes, bytes]:
    """(secret, public key); ValueError for anything but the form above."""
    der = base64.b64decode(b"".join(line for line in pem.splitlines() if not line.startswith(b"-----")), validate=True)
    secret, key = der[len(_HEAD) :][:_PRIVATE_BYTES], der[-_PUBLIC_BYTES:]
    if der != _HEAD + secret + _PUBLIC + key:
        raise ValueError("not an SM2 private key in PKCS#8")
    return secret, key


def public(pem: bytes) -> bytes:
    return _parts(pem)[1]


def sign(pem: bytes, message: bytes) -> bytes:
    secret, key = _parts(pem)
    r, s = gmalg.SM2(secret, UID, key).sign(message)
    return bytes(r.rjust(_HALF, b"\0") + s.rjust(_HALF, b"\0"))


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    if len(signature) != 2 * _HALF or len(key) != _PUBLIC_BYTES:
        return False
    try:
        return bool(gmalg.SM2(uid=UID, pk=key).verify(message, signature[:_HALF], signature[_HALF:]))
    except (ValueError, ArithmeticError, gmalg.errors.GMError):
        return False
