"""What a crash, or a person who previews and goes away, leaves below `DATA/gather`: removed once nothing can need it any more."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import structlog

from haitang.base import clock
from haitang.base.ids import id_of
from haitang.hub.data.gather import incoming, parts
from haitang.hub.data.gather.models import Run

log = structlog.get_logger()

UNTOUCHED = timedelta(days=1)  # a previewed file waits for its person so long; a file that is being kept is written to all the time


def sweep() -> int:
    """Remove kept files that no unended run reads, and parts of ended runs that are in the lake; returns how many files and folders."""
    found = [*_files(), *_folders()]
    for each in found:
        shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink(missing_ok=True)
    if found:
        log.info("gather.swept", removed=len(found))
    return len(found)


def _files() -> Iterator[Path]:
    for file in incoming.folder().glob("*"):
        if _untouched(file) and not incoming.needed(file):
            yield file


def _folders() -> Iterator[Path]:
    for folder in (parts.top() / "parts").glob("*"):
        id = id_of(folder.name)
        run = Run.objects.filter(pk=id).first() if id else None
        if _untouched(folder) and (run is None or (run.ended and not run.staged.filter(landed=False).exists())):
            yield folder


def _untouched(path: Path) -> bool:
    """Also false for what another process has just removed."""
    try:
        return path.stat().st_mtime < (clock.now() - UNTOUCHED).timestamp()
    except FileNotFoundError:
        return False
