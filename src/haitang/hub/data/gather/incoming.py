"""Files that are to be gathered: kept below the data directory under their digest until their run ends."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
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
_PIECE = 1 << 22


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

    def fill(draft: Path) -> None:
        with draft.open("wb") as kept:
            while piece := stream.read(_PIECE):
                kept.write(piece)

    return _keep(fill, name)


def keep_file(file: Path) -> Incoming:
    """The same of a file on this machine, whose bytes the system copies by itself where it is no pipe."""
    if not file.is_file():
        with file.open("rb") as stream:
            return keep(stream, file.name)
    return _keep(lambda draft: shutil.copyfile(file, draft), file.name)


def _keep(fill: Callable[[Path], object], name: str) -> Incoming:
    folder().mkdir(parents=True, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=folder())
    os.close(descriptor)
    draft = Path(made)
    try:
        fill(draft)
        if not (size := draft.stat().st_size):
            raise EMPTY(name=name)
        digest = _synced(draft)
        path = folder() / f"{digest}{_suffix(name)}"
        put(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return Incoming(Path(name).name, path, digest, size)


def _synced(draft: Path) -> str:
    """Its SHA-256, worked out while the disk takes it."""
    with draft.open("rb") as kept, ThreadPoolExecutor(1) as beside:
        syncing = beside.submit(os.fsync, kept.fileno())
        digest = hashlib.file_digest(kept, "sha256").hexdigest()
        syncing.result()
    return digest


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
