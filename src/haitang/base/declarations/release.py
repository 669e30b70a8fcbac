"""The release in force, read from the database, together with the approved edits whose date has come."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from django.db import OperationalError

from haitang.base import clock
from haitang.base.declarations.content import owners_in
from haitang.base.declarations.in_force import NOTHING_IN_FORCE, Declarations
from haitang.base.declarations.loader import Loaded, Tuning, load_folders
from haitang.base.declarations.locales import catalogue_of
from haitang.base.declarations.models import Admission, Edit, Provisional, Release
from haitang.base.declarations.overrides import key_path
from haitang.base.declarations.owners import Owner, Where
from haitang.base.declarations.positions import Position
from haitang.base.errors import error
from haitang.base.text import put_catalogue

if TYPE_CHECKING:
    from django.db.models import QuerySet

log = structlog.get_logger(__name__)

LOOK_EVERY = 2.0  # seconds
RELEASE_BROKEN = error(
    "declarations.release_broken", 503, "生效的声明版本 {digest} 读不进来：{problems}。请运行 haitang apply 换上新的版本。"
)


@dataclass(frozen=True)
class Pointer:
    """What decides the declarations in force; equal pointers mean equal declarations."""

    admission: int
    edits: tuple[str, ...]
    provisional: tuple[tuple[str, str], ...] = ()  # id and status


def today() -> date:
    return clock.now().astimezone(clock.CHINA).date()


def edits_in_force(on: date | None = None) -> list[Edit]:
    """Approved edits whose date has come, oldest first: the last one on a key holds."""
    return list(Edit.objects.filter(status=Edit.Status.APPROVED, effective__lte=on or today()))


def approved_edits() -> list[Edit]:
    """Approved edits, those of a later date too."""
    return list(Edit.objects.filter(status=Edit.Status.APPROVED))


def current_admission() -> Admission | None:
    return Admission.objects.order_by("-id").select_related("release").first()


def pointer() -> Pointer | None:
    """The pointer now; None before the first release."""
    admission = Admission.objects.order_by("-id").values_list("id", flat=True).first()
    if admission is None:
        return None
    approved = Edit.objects.filter(status=Edit.Status.APPROVED, effective__lte=today()).values_list("id", flat=True)
    proposed = provisional_in_force().values_list("id", "status")
    return Pointer(admission, tuple(str(id) for id in approved), tuple((str(id), status) for id, status in proposed))


def provisional_in_force() -> "QuerySet[Provisional]":
    """What was proposed from data and not discarded."""
    return Provisional.objects.exclude(status=Provisional.Status.DISCARDED)


def digest_in_force(release: str, edits: Iterable[Edit], provisional: Iterable[Provisional] = ()) -> str:
    """SHA-256 over the release's digest, the edits in their order and what is provisional; the release's own digest where there is neither."""
    written = [f"{e.kind} {e.declaration} {e.key} {e.new!r} {e.effective}" for e in edits]
    written += [f"provisional {each.id} {each.status} {json.dumps(each.files, sort_keys=True)}" for each in provisional]
    return hashlib.sha256("\n".join([release, *written]).encode()).hexdigest() if written else release


def tunings_of(edits: Iterable[Edit]) -> list[Tuning]:
    return [tuning(edit.kind, edit.declaration, edit.key, edit.new, f"edit-{edit.id}") for edit in edits]


def tuning(kind: str, id: str, key: str, value: Any, source: str) -> Tuning:
    return Tuning(kind, id, key_path(key), value, Position(Path(source), 1))


def owner_of(provisional: Provisional) -> Owner:
    """What was proposed, as a folder of declarations."""
    where: Where = "adopted" if provisional.status == Provisional.Status.ADOPTED else "provisional"
    name = f"provisional_{provisional.declaration}"
    return Owner(name, where, Path("provisional") / provisional.declaration, dict(provisional.files))


def beside(owners: Iterable[Owner], provisional: Iterable[Provisional]) -> list[Owner]:
    """The owners with what is provisional, save what one of them declares itself by now."""
    kept = list(owners)
    declared = {_of_file(file) for owner in kept for file in owner.files}
    return [*kept, *(owner_of(each) for each in provisional if declared.isdisjoint(map(_of_file, each.files)))]


def _of_file(relative: str) -> str:
    return relative.rpartition(".")[0]


def load_release(release: Release, edits: Iterable[Edit] = (), provisional: Iterable[Provisional] = ()) -> Loaded:
    """A kept release as it was, with edits on top. It is built, not checked again: stricter checks of later software do not undo it."""
    chosen, proposed = list(edits), list(provisional)
    digest = digest_in_force(release.digest, chosen, proposed)
    owners = beside(owners_in(release.content, release.folders), proposed)
    return load_folders(owners, tunings=tunings_of(chosen), digest=digest, checked=False)


def digest_at(there: Pointer) -> str:
    """The digest of what the pointer stands at, when all of it fits."""
    release, edits, proposed = _standing(there)
    return digest_in_force(release.digest, edits, proposed)


def _standing(there: Pointer) -> tuple[Release, list[Edit], list[Provisional]]:
    admission = Admission.objects.select_related("release").get(pk=there.admission)
    edits = {str(edit.id): edit for edit in Edit.objects.filter(pk__in=there.edits)}
    status = dict(there.provisional)
    proposed = list(Provisional.objects.filter(pk__in=status))
    for each in proposed:
        each.status = status[str(each.id)]
    return admission.release, [edits[id] for id in there.edits], proposed


def load_at(there: Pointer) -> Declarations:
    """What was in force when the pointer stood there, whatever has become of its edits since; raises RELEASE_BROKEN."""
    return _loaded(*_standing(there))


def _loaded(release: Release, edits: list[Edit], proposed: list[Provisional]) -> Declarations:
    """The release with as much on top of it as fits."""
    loaded = load_release(release, edits, proposed)
    if loaded.declarations is None:
        edits = _fitting(release, edits)
        loaded = load_release(release, edits, _sound(release, edits, proposed))
    if loaded.declarations is None:
        raise RELEASE_BROKEN(digest=release.digest[:12], problems="；".join(str(problem) for problem in loaded.errors[:5]))
    return loaded.declarations


def load_in_force() -> Declarations:
    """Read and build what is in force now; raises NOTHING_IN_FORCE or RELEASE_BROKEN."""
    admission = current_admission()
    if admission is None:
        raise NOTHING_IN_FORCE()
    return _loaded(admission.release, edits_in_force(), list(provisional_in_force()))


def _fitting(release: Release, edits: Iterable[Edit]) -> list[Edit]:
    """The edits that fit the release, one after the other: one that does not must not take the rest of the platform down."""
    kept: list[Edit] = []
    for edit in edits:
        problems = load_release(release, [*kept, edit]).errors
        if problems:
            log.warning(
                "edit_left_out", edit=str(edit.id), declaration=f"{edit.kind} {edit.declaration}", key=edit.key, problem=str(problems[0])
            )
        else:
            kept.append(edit)
    return kept


def _sound(release: Release, edits: list[Edit], proposed: list[Provisional]) -> list[Provisional]:
    """What is provisional and still builds, for the same reason."""
    kept: list[Provisional] = []
    for each in proposed:
        if load_release(release, edits, [*kept, each]).declarations is None:
            log.warning("provisional_left_out", provisional=str(each.id), declaration=each.declaration)
        else:
            kept.append(each)
    return kept


looks: list[Callable[[Declarations], None]] = []
"""Called with what is in force whenever a process looks: for what a room keeps of its tables as it keeps declarations, no older than `LOOK_EVERY`."""


class Source:
    """Gives the declarations in force; looks at the pointer at most every `LOOK_EVERY` seconds and rebuilds only when it moved."""

    def __init__(self, look_every: float = LOOK_EVERY) -> None:
        self._look_every = look_every
        self._lock = threading.Lock()
        self._declarations: Declarations | None = None
        self._pointer: Pointer | None = None
        self._looked = 0.0
        self._aside = ThreadPoolExecutor(1, "declarations")

    def __call__(self) -> Declarations:
        found = self._declarations
        if found is not None and time.monotonic() - self._looked < self._look_every:
            return found
        with self._lock:
            return self._look_outside_loops()

    def forget(self) -> None:
        """Look again at the next call (after an admission in this process)."""
        self._looked = 0.0

    def _look_outside_loops(self) -> Declarations:
        """Django's connections refuse to work inside an event loop, so there the look happens in a thread of its own."""
        return self._aside.submit(self._look).result() if _in_a_loop() else self._look()

    def _look(self) -> Declarations:
        known = self._declarations
        try:
            return self._asked()
        except OperationalError:
            if known is None:
                raise
            return self._declarations or known  # the database is away for a moment: what was in force still is

    def _asked(self) -> Declarations:
        seen = pointer()
        if self._declarations is None or seen != self._pointer:
            self._declarations = load_in_force()
            self._pointer = seen
            put_catalogue(catalogue_of(self._declarations.owners))
        for look in looks:
            look(self._declarations)
        self._looked = time.monotonic()
        return self._declarations


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def source_in_force() -> Callable[[], Declarations]:
    """What the composition root passes to `put_in_force`."""
    return Source()
