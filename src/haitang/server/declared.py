"""Declarations as commands see them: every kind and permission registered, every owner read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from haitang.base.actions import permissions
from haitang.base.declarations.checks import Problem
from haitang.base.declarations.loader import Loaded, load_folders, owners_of
from haitang.base.declarations.owners import Owner, owner_of_folder
from haitang.base.declarations.references import registered as words
from haitang.base.declarations.spec_files import run_specs
from haitang.base.settings import settings
from haitang.server.discovery import import_rooms


@dataclass(frozen=True)
class Checked:
    """What `haitang check` found: the problems of the folders, then of their spec tables."""

    loaded: Loaded
    problems: list[Problem]
    tables: int

    @property
    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems if problem.severity == "error"]


def owners_with(path: Path | None) -> list[Owner]:
    """The owners of this instance; `path` (an application or a place) joins them or takes the place of its namesake."""
    found = owners_of(settings())
    if path is None:
        return found
    folder = path.expanduser().resolve()
    given = owner_of_folder(folder, "place" if (folder / "place.yaml").is_file() else "application")
    if given.where == "place":
        return [*(owner for owner in found if owner.where != "place"), given]
    kept = [owner for owner in found if owner.where != "application" or owner.name != given.name]
    return [*(o for o in kept if o.where == "platform"), given, *(o for o in kept if o.where != "platform")]


def load(owners: Sequence[Owner]) -> Loaded:
    """Load with every permission known, so that roles are checked too."""
    import_rooms()
    return load_folders(owners, permissions=permissions)


def check(path: Path | None = None) -> Checked:
    """Load, then run the spec tables of every owner that has no error itself."""
    loaded = load(owners_with(path))
    faulty = [problem.file for problem in loaded.errors if problem.file]
    sound = [owner for owner in loaded.owners if not any(file.is_relative_to(owner.folder) for file in faulty)]
    ran = run_specs(sound, loaded.partial)
    return Checked(loaded, [*loaded.problems, *ran.problems], ran.tables)


def organization_role() -> str | None:
    """An organization role that the place of this instance fills, for a skeleton; None where it fills none."""
    place = load_folders([owner for owner in owners_of(settings()) if owner.where == "place"])
    return min(words["organization role"].function(place.partial), default=None)
