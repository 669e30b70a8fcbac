"""Secrets that the platform must be able to use again (passwords of outside databases): sealed in the database, opened only where they are used.

AES-256-GCM (NIST SP 800-38D) under a key of this instance that stands in `DATA/keys`, not in the database: a dump of the database opens nothing.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from haitang.base.errors import error
from haitang.support.security.cryptography.keys import kept

NOT_OPENED = error("cryptography.secret_not_opened", 500, "保存的口令（{name}）无法解开：密钥文件与数据库不是同一套。请重新填写口令。")
_KEY_FILE = "stored-secrets.key"
_PREFIX = "aesgcm1:"


def _key() -> bytes:
    return kept(_KEY_FILE, lambda: os.urandom(32))


def seal_text(text: str, name: str) -> str:
    """`text` sealed for storing; `name` says what it belongs to and is bound to it."""
    nonce = os.urandom(12)
    return _PREFIX + base64.b64encode(nonce + AESGCM(_key()).encrypt(nonce, text.encode(), name.encode())).decode("ascii")


def open_text(sealed: str, name: str) -> str:
    """The text again. Raises NOT_OPENED for another key, another name or a changed text."""
    try:
        data = base64.b64decode(sealed.removeprefix(_PREFIX), validate=True)
        return AESGCM(_key()).decrypt(data[:12], data[12:], name.encode()).decode()
    except (InvalidTag, ValueError):
        raise NOT_OPENED(name=name) from None
