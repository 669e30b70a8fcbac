"""Files that are to be gathered: kept below the data directory under their digest until their run ends."""

import hashlib
import os
import tempfile
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
    folder().mkdir(parents=True, exist_ok=True)
    hashed, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=folder(), delete=False) as kept, ThreadPoolExecutor(1) as beside:
        while piece := stream.read(_PIECE):
            hashing = beside.submit(hashed.update, piece)
            kept.write(piece)
            size += len(piece)
            hashing.result()
    if not size:
        os.unlink(kept.name)
        raise EMPTY(name=name)
    path = folder() / f"{hashed.hexdigest()}{_suffix(name)}"
    put(Path(kept.name), path)
    return Incoming(Path(name).name, path, hashed.hexdigest(), size)


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
