"""Keys of this instance: files in the data directory's `keys/`, readable by its owner alone, and sealed where setting `key_passphrase` is given."""

import os
from collections.abc import Callable
from pathlib import Path

from haitang.base.disk import sync
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.security.cryptography import sealed
from haitang.support.security.cryptography.suites import Suite

TOO_OPEN = error("cryptography.key_too_open", 500, "私钥文件 {file} 可被他人读取（权限 {mode}）。请执行 chmod 600 {file}。")
NO_PASSPHRASE = error("cryptography.no_passphrase", 500, "私钥文件 {file} 已加密，但没有给出口令。请设置环境变量 HAITANG_KEY_PASSPHRASE。")
WRONG_PASSPHRASE = error("cryptography.wrong_passphrase", 500, "私钥文件 {file} 无法用所给口令打开：口令不对，或文件被改动。")
NO_KEY_FILE = error(
    "cryptography.no_key_file",
    500,
    "找不到私钥文件 {file}。请从备份恢复 keys 目录；确已丢失时执行 haitang evidence rotate-key --without-old-key。",
)

_opened: dict[tuple[Path, int, str], bytes] = {}  # opening a sealed file costs a tenth of a second by design


def folder() -> Path:
    """`DATA/keys`, made with mode 0700."""
    found = settings().data / "keys"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def private_key(purpose: str, suite: Suite) -> bytes:
    """The private key (PEM) of this instance for a purpose, made at first use."""
    return kept(f"{purpose}-{suite.name}.pem", suite.generate)


def kept(name: str, make: Callable[[], bytes] | None = None) -> bytes:
    """The content of key file `name`; made at first use where `make` is given, and by one process only, however many ask at once.

    Raises NO_KEY_FILE, TOO_OPEN, NO_PASSPHRASE, WRONG_PASSPHRASE. A plain file is sealed once a passphrase is set.
    """
    file = folder() / name
    if not file.exists():
        if make is None:
            raise NO_KEY_FILE(file=file)
        keep(name, make())
    state = file.stat()
    if state.st_mode & 0o077:
        raise TOO_OPEN(file=file, mode=f"{state.st_mode & 0o777:o}")
    return _opened_content(file, state.st_mtime_ns)


def keep(name: str, content: bytes) -> None:
    """Write key file `name`, sealed where a passphrase is set; a file that is there stays as it is."""
    draft = _draft(folder() / name, content)
    try:
        os.link(draft, folder() / name)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync(folder())


def _opened_content(file: Path, changed: int) -> bytes:
    content, passphrase = file.read_bytes(), settings().key_passphrase
    if not sealed.is_sealed(content):
        if passphrase:
            _draft(file, content).replace(file)
        return content
    if not passphrase:
        raise NO_PASSPHRASE(file=file)
    known = (file, changed, passphrase)
    if known not in _opened:
        try:
            _opened[known] = sealed.unseal(content, passphrase, file.name)
        except (ValueError, KeyError):
            raise WRONG_PASSPHRASE(file=file) from None
    return _opened[known]


def _draft(file: Path, content: bytes) -> Path:
    """A whole, synced file beside `file`, so that nobody ever sees half a key."""
    passphrase = settings().key_passphrase
    written = sealed.seal(content, passphrase, file.name) if passphrase else content
    draft = file.with_name(f".{file.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(written)
        out.flush()
        os.fsync(out.fileno())
    return draft
