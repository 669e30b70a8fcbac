"""Private keys of this instance: files in the data directory's `keys/`, readable by its owner alone."""

import os
from pathlib import Path

from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.security.cryptography.suites import Suite

TOO_OPEN = error("cryptography.key_too_open", 500, "私钥文件 {file} 可被他人读取（权限 {mode}）。请执行 chmod 600 {file}。")


def folder() -> Path:
    """`DATA/keys`, made with mode 0700."""
    found = settings().data / "keys"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def private_key(purpose: str, suite: Suite) -> bytes:
    """The private key (PEM) of this instance for a purpose, made at first use."""
    file = folder() / f"{purpose}-{suite.name}.pem"
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        mode = file.stat().st_mode & 0o777
        if mode & 0o077:
            raise TOO_OPEN(file=file, mode=f"{mode:o}") from None
        return file.read_bytes()
    with os.fdopen(descriptor, "wb") as out:
        out.write(pem := suite.generate())
        out.flush()
        os.fsync(out.fileno())
    return pem
