"""SM4 as HJ 212-2025 uses it: ECB, no padding, over the text between `CP=&&` and `&&`, in whole blocks of 16 bytes; a shorter tail stays plain.

Written as `{0xE4,0x3E,...}tail`. Length and checksum of the packet are those of its plaintext.
"""

import re
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_SEALED = re.compile(rb"\{((?:0[xX][0-9A-Fa-f]{2},?)*)\}(.*)\Z", re.DOTALL)
_CP = re.compile(rb"(CP=&&)(.*)(&&)\Z", re.DOTALL | re.IGNORECASE)
BLOCK = 16


class DecryptionFailedError(Exception):
    """The text is not what the standard describes, or the key is not of 16 bytes."""


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    if len(key) != BLOCK:
        raise DecryptionFailedError("key is not of 16 bytes")
    return Cipher(algorithms.SM4(key), modes.ECB())  # noqa: S305 - the standard asks for ECB


def encrypt(text: bytes, key: bytes) -> bytes:
    """The content of CP as it travels."""
    whole = len(text) // BLOCK * BLOCK
    worker = _cipher(key).encryptor()
    sealed = worker.update(text[:whole]) + worker.finalize()
    return b"{" + b",".join(b"0x%02X" % byte for byte in sealed) + b"}" + text[whole:]


def decrypt(text: bytes, key: bytes) -> bytes:
    """The content of CP from what travelled; raises DecryptionFailedError."""
    found = _SEALED.match(text)
    sealed = bytes(int(byte, 16) for byte in found.group(1).split(b",") if byte) if found else b""
    if found is None or len(sealed) % BLOCK:
        raise DecryptionFailedError("not written as whole blocks {0x..}")
    worker = _cipher(key).decryptor()
    return worker.update(sealed) + worker.finalize() + found.group(2)


def reveal(segment: bytes, key: bytes) -> bytes:
    """The plaintext segment of an encrypted one."""
    return _over_cp(segment, lambda content: decrypt(content, key))


def conceal(segment: bytes, key: bytes) -> bytes:
    """The encrypted segment of a plaintext one."""
    return _over_cp(segment, lambda content: encrypt(content, key))


def _over_cp(segment: bytes, change: Callable[[bytes], bytes]) -> bytes:
    found = _CP.search(segment)
    if found is None:
        raise DecryptionFailedError("no CP=&&...&&")
    return segment[: found.start(2)] + change(found.group(2)) + segment[found.end(2) :]
