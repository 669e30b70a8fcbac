"""Files that are to be gathered: kept below the data directory under their digest until their run ends."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from haitang.base.disk import put
from haitang.base.errors import error
from haitang.hub.data.gather.parts import top
from haitang.hub.data.gather.states import ENDED
from haitang.support.infrastructure.files.store import Readable

if TYPE_CHECKING:
    from haitang.hub.data.gather.models import Run

EMPTY = error("gather.empty_file", 422, "文件“{name}”是空的。")
NO_FILE = error("gather.no_file", 404, "找不到上传的文件，可能已被清理。请重新上传。")
_PIECE = 1 << 23


class Unwanted(Exception):
    """It turned out that nobody needs a file that was being kept."""


@dataclass(frozen=True)
class Incoming:
    """A kept file. `name` is what its sender calls it."""

    name: str
    path: Path
    digest: str
    size: int


def folder() -> Path:
    return top() / "incoming"


def keep(stream: Readable, name: str) -> Incoming:
    """Copy what `stream` gives; raises EMPTY. The suffix of the name stays, because readers look at it."""

    def fill(draft: Path) -> str:
        digest = hashlib.sha256()
        with draft.open("wb") as kept:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                kept.write(piece)
        return digest.hexdigest()

    return _keep(fill, name)


def keep_file(file: Path, unwanted: Event | None = None) -> Incoming:
    """The same of a file on this machine, whose bytes the system copies by itself where it is no pipe. Raises Unwanted once `unwanted` is set."""
    if file.is_file():
        try:
            return _keep(partial(_copied, file, unwanted or Event()), file.name)
        except OSError as reason:
            if reason.errno != errno.EINVAL:  # of a file system that leaves copying to us
                raise
    with file.open("rb") as stream:
        return keep(stream, file.name)


def _copied(file: Path, unwanted: Event, draft: Path) -> str:
    """Copy a file; returns the SHA-256 of the copy, which another thread works out piece by piece behind this one."""
    digest, hashing, at = hashlib.sha256(), [], 0
    with file.open("rb") as given, draft.open("wb") as kept, draft.open("rb") as written, ThreadPoolExecutor(1) as beside:
        while sent := os.sendfile(kept.fileno(), given.fileno(), at, _PIECE):
            if unwanted.is_set():
                raise Unwanted
            at += sent
            hashing.append(beside.submit(lambda length: digest.update(written.read(length)), sent))
        os.fsync(kept.fileno())
        for each in hashing:
            each.result()
    return digest.hexdigest()


def _keep(fill: Callable[[Path], str], name: str) -> Incoming:
    folder().mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=folder())
    os.close(descriptor)
    draft = Path(made)
    try:
        digest = fill(draft)
        if not (size := draft.stat().st_size):
            raise EMPTY(name=name)
        path = folder() / f"{digest}{_suffix(name)}"
        put(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return Incoming(Path(name).name, path, digest, size)


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and len(suffix) < 12 else ""


def kept(key: str, name: str) -> Incoming:
    """A file that was kept before, by the name it has in the folder; raises NO_FILE."""
    path = folder() / Path(key).name
    if not path.is_file() or not path.stem.isalnum():
        raise NO_FILE()
    path.touch()  # somebody is at it: the sweep waits again
    return Incoming(name, path, path.stem, path.stat().st_size)


def where(run: "Run") -> Path:
    """The file of a run. The name alone counts: an instance that was restored lies in another directory than the one that took the file in."""
    return folder() / Path(run.path).name


def needed(path: Path) -> bool:
    """Whether a run that has not ended reads this file."""
    from haitang.hub.data.gather.models import Run

    return Run.objects.filter(path__endswith=path.name).exclude(state__in=ENDED).exists()


def forget(run: "Run") -> None:
    """Remove the file of a run that has ended, unless another run still needs it. What a crash keeps from it, the sweep does (`sweeping`)."""
    if run.path and not needed(where(run)):
        where(run).unlink(missing_ok=True)


def drop(file: Incoming) -> None:
    """Remove a kept file that no run was started for."""
    if not needed(file.path):
        file.path.unlink(missing_ok=True)
