"""Keys of this instance: files in the data directory's `keys/`, readable by its owner alone."""

import os
from collections.abc import Callable
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
    return kept(f"{purpose}-{suite.name}.pem", suite.generate)


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """The content of key file `name`; made at first use, and by one process only, however many ask at once."""
    file = folder() / name
    if not file.exists():
        _write_once(file, make())
    mode = file.stat().st_mode & 0o777
    if mode & 0o077:
        raise TOO_OPEN(file=file, mode=f"{mode:o}") from None
    return file.read_bytes()


def _write_once(file: Path, content: bytes) -> None:
    """Write the whole file under its name or leave the one that another process wrote meanwhile."""
    draft = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
