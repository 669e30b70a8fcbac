"""Reads about declarations: what may be tuned, what holds and who set it, and the edits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from haitang.base.declarations.files import OVERRIDES, Raw
from haitang.base.declarations.loader import Loaded
from haitang.base.declarations.model import Declaration, Tunable
from haitang.base.declarations.models import Edit
from haitang.base.declarations.positions import KeyPath, dotted
from haitang.base.declarations.release import current_admission, edits_in_force, load_release
from haitang.base.declarations.walk import walk


@dataclass(frozen=True)
class TunableKey:
    """One tunable key of one declaration, the value in force and where it comes from (`source`: application, place or edit)."""

    kind: str
    kind_title: str
    id: str
    title: str
    key: str
    why: str
    value: Any
    source: str


def loaded_in_force() -> Loaded | None:
    """What is in force with its raw declarations; None before the first release."""
    now = current_admission()
    return load_release(now.release, edits_in_force()) if now else None


def tunable_keys(kind: str | None = None) -> list[TunableKey]:
    """Every tunable key of the release in force, of one kind where given, in the order of the declarations."""
    loaded = loaded_in_force()
    if loaded is None:
        return []
    found = []
    for (name, id), raw in loaded.raws.items():
        declared = loaded.partial.all(raw.kind.model).get(id)
        if declared is not None and kind in (None, name):
            found += list(_of(raw, declared))
    return found


def _of(raw: Raw, declared: Declaration) -> Iterator[TunableKey]:
    seen: set[KeyPath] = set()
    for spot in walk(declared):
        mark = spot.mark(Tunable)
        if mark is None or spot.key or any(spot.path[: len(above)] == above for above in seen):
            continue
        seen.add(spot.path)
        title = str(getattr(declared, "title", raw.id))
        yield TunableKey(raw.kind.name, raw.kind.title, raw.id, title, dotted(spot.path), mark.why, spot.value, _source(raw, spot.path))


def _source(raw: Raw, path: KeyPath) -> str:
    """Whose value holds: what stands at the key or, for a key within it, below."""
    files = {raw.positions[at].file.name for at in raw.positions if at[: len(path)] == path}
    if any(name.startswith("edit-") for name in files):
        return "edit"
    return "place" if OVERRIDES in files else "application"


def pending_edits() -> list[Edit]:
    """Edits that wait for a second person, oldest first."""
    return list(Edit.objects.filter(status=Edit.Status.PROPOSED).order_by("proposed_at"))


def decided_edits(limit: int = 50) -> list[Edit]:
    """The latest edits that were decided on."""
    return list(Edit.objects.exclude(status=Edit.Status.PROPOSED).order_by("-decided_at")[:limit])
