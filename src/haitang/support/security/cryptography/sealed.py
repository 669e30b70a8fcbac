"""Key files sealed at rest: scrypt (RFC 7914) makes a key from the passphrase of setting `key_passphrase`, AES-256-GCM (NIST SP 800-38D) seals the content.

The passphrase stands in the environment or a secrets manager, never in the data directory: a stolen disk or backup then holds no usable key.
"""

import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

FORMAT = "haitang-sealed-key/1"
_COST, _BLOCK, _PARALLEL = 2**15, 8, 1  # 32 MiB and about a tenth of a second for each guess


def is_sealed(content: bytes) -> bool:
    return content.startswith(b"{") and FORMAT.encode() in content


def seal(content: bytes, passphrase: str, name: str) -> bytes:
    """`content` sealed under `passphrase`; `name` is bound to it, so that one file cannot stand in for another."""
    salt, nonce = os.urandom(16), os.urandom(12)
    data = AESGCM(_key(passphrase, salt)).encrypt(nonce, content, name.encode())
    told = {"format": FORMAT, "kdf": f"scrypt {_COST} {_BLOCK} {_PARALLEL}", "salt": salt.hex(), "nonce": nonce.hex(), "data": data.hex()}
    return json.dumps(told).encode("ascii")


def unseal(content: bytes, passphrase: str, name: str) -> bytes:
    """The content; ValueError when the passphrase is another or the file was changed."""
    told: dict[str, Any] = json.loads(content)
    try:
        key = _key(passphrase, bytes.fromhex(told["salt"]))
        return AESGCM(key).decrypt(bytes.fromhex(told["nonce"]), bytes.fromhex(told["data"]), name.encode())
    except InvalidTag:
        raise ValueError("wrong passphrase or changed file") from None


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_PARALLEL).derive(passphrase.encode("utf-8"))
