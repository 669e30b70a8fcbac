"""Looks into a folder: a file is taken once it has stopped changing, once for its content, and moved out of the way.

A file that is being copied has its final time already with some programs, so its size and time must have stood still between two looks. What
cannot be moved (a folder that may only be read) is remembered instead. What cannot be taken stays where it is and is shown until it changes.
"""

import fnmatch
import hashlib
import os
from datetime import datetime
from pathlib import Path

from haitang.base import clock
from haitang.base.actions import Actor, acting, system
from haitang.base.clock import CHINA
from haitang.base.durations import parse_span
from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.base.text import CHINESE, sentence_of
from haitang.hub.data.gather import faults, incoming
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.readers.reading import format_of
from haitang.hub.data.gather.sources import actions
from haitang.hub.data.gather.sources.models import TakenFile
from haitang.hub.data.gather.sources.pulling import only_one

ACTOR = system("gather")
DONE = "已采集"  # the folder into which taken files go
_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart", ".swp", ".lock")
State = TakenFile.State


def folder_of(source: Source) -> Path:
    """Absolute, or below the data directory."""
    assert source.folder is not None
    return settings().data / source.folder.path


def look(source: Source, actor: Actor = ACTOR) -> list[TakenFile]:
    """Take what has settled; returns the sightings that changed. Raises NO_FOLDER."""
    folder = folder_of(source)
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise faults.NO_FOLDER(source=source.id, path=folder)
    with only_one(source.id) as mine:
        found = [_look_at(source, file, actor) for file in _files(source, folder)] if mine else []
    _forget_gone(source, folder)
    return [sighting for sighting in found if sighting is not None]


def _files(source: Source, folder: Path) -> list[Path]:
    assert source.folder is not None
    return [
        file
        for file in sorted(folder.iterdir())
        if file.is_file()
        and not file.is_symlink()
        and not file.name.startswith((".", "~$"))
        and not file.name.lower().endswith(_UNFINISHED)
        and fnmatch.fnmatch(file.name, source.folder.files)
    ]


def _look_at(source: Source, file: Path, actor: Actor) -> TakenFile | None:
    now = clock.now()
    try:
        told = file.stat()
    except FileNotFoundError:
        return None
    sighting, new = TakenFile.objects.get_or_create(
        source=source.id, name=file.name[:255], size=told.st_size, changed_ns=told.st_mtime_ns, defaults={"seen_at": now}
    )
    if new:
        older = TakenFile.objects.filter(source=source.id, name=sighting.name, state__in=(State.SETTLING, State.FAILED))
        older.exclude(pk=sighting.pk).delete()
        return sighting
    if sighting.state in (State.TAKEN, State.REPEATED):
        _move(sighting, file, now)  # it was taken, and could not be moved or the process died in between
        return None
    assert source.folder is not None
    if sighting.state == State.FAILED or now - sighting.seen_at < parse_span(source.folder.settled):
        return None
    return _take(source, sighting, file, actor)


def _take(source: Source, sighting: TakenFile, file: Path, actor: Actor) -> TakenFile | None:
    try:
        digest = _digest(file)
        before = TakenFile.objects.filter(source=source.id, digest=digest, state=State.TAKEN).exists()
        kept = None if before else _keep(file)
        if kept is not None and (kept.digest != digest or file.stat().st_mtime_ns != sighting.changed_ns):
            return None  # it changed while it was read; the next look sees it anew
        with acting(actor) as act:
            actions.take(act=act, source=source, sighting=sighting, file=kept, digest=digest)
    except (HaitangError, OSError) as failure:
        why = sentence_of(failure, CHINESE) if isinstance(failure, HaitangError) else f"{type(failure).__name__}: {failure.strerror}"
        with acting(actor) as act:
            actions.refuse(act=act, source=source, sighting=sighting, why=why)
        return sighting
    _move(sighting, file, clock.now())
    return sighting


def _keep(file: Path) -> incoming.Incoming:
    format_of(file)  # refuses what no reader can read, before it becomes a run
    return incoming.keep_file(file)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _move(sighting: TakenFile, file: Path, now: datetime) -> None:
    """Into the folder of taken files, under a name that tells when; a folder that may not be written to keeps it."""
    target = file.parent / DONE / f"{now.astimezone(CHINA):%Y%m%d-%H%M%S}-{sighting.pk}-{file.name}"
    try:
        target.parent.mkdir(exist_ok=True)
        file.rename(target)
    except OSError:
        return
    sighting.moved_to = str(target)
    sighting.save(update_fields=["moved_to"])


def _forget_gone(source: Source, folder: Path) -> None:
    """A file that was taken away again is no trouble any more."""
    for sighting in TakenFile.objects.filter(source=source.id, state__in=(State.SETTLING, State.FAILED)):
        if not (folder / sighting.name).exists():
            sighting.delete()
