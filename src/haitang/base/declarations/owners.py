"""Who declares: platform rooms, applications and the place, each with the texts of its folder.

An owner holds the texts, not only the path, so that a release kept in the database loads exactly as its folders did.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Literal

import haitang
from haitang.base.settings import Settings

Where = Literal["platform", "application", "place", "provisional", "adopted"]  # the last two: kept in the database (`Provisional`)

READ = frozenset({".yaml", ".yml", ".sql", ".cedar", ".csv", ".geojson", ".svg"})
UNREAD_FOLDERS = frozenset({"samples", "__pycache__", "migrations", "templates", "static"})
GROUP = "haitang.applications"


@dataclass(frozen=True)
class Owner:
    """One folder of declarations. `files`: relative path -> text; `unreadable`: files that are not UTF-8."""

    name: str
    where: Where
    folder: Path
    files: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    missing: bool = False

    def path(self, relative: str) -> Path:
        return self.folder / PurePosixPath(relative)


def owner_of_folder(folder: Path, where: Where, name: str | None = None) -> Owner:
    """Read a folder; one that is not there gives an owner that is `missing`."""
    named = name or folder.name
    if not folder.is_dir():
        return Owner(named, where, folder, missing=True)
    files: dict[str, str] = {}
    unreadable = []
    for file in sorted(folder.rglob("*")):
        relative = file.relative_to(folder)
        if not _is_read(file, relative):
            continue
        try:
            text = file.read_text("utf-8-sig").replace("\r\n", "\n")
            if "\0" in text:
                raise UnicodeError("NUL")
            files[relative.as_posix()] = text
        except (UnicodeError, OSError):
            unreadable.append(relative.as_posix())
    return Owner(named, where, folder, files, tuple(unreadable))


def _is_read(file: Path, relative: Path) -> bool:
    if any(part in UNREAD_FOLDERS or part.startswith(".") for part in relative.parts):
        return False
    return file.is_file() and (file.suffix in READ or str(relative) == "functions.py")


def checkout() -> Path:
    """The top of the source tree (where `places/` is), or of the installed package."""
    return Path(haitang.__file__).resolve().parents[2]


def rooms() -> Iterator[Owner]:
    """Platform rooms that declare something, in the order of their names."""
    root = Path(haitang.__file__).resolve().parent
    for folder in sorted(root.rglob("declarations")):
        inside = folder.relative_to(root).parts
        if folder.is_dir() and inside[0] != "applications" and inside != ("base", "declarations"):
            yield owner_of_folder(folder, "platform", folder.parent.name)


def shipped() -> Iterator[Owner]:
    """Applications of this software, by family."""
    for family in sorted((Path(haitang.__file__).resolve().parent / "applications").iterdir()):
        for folder in sorted(family.iterdir()) if family.is_dir() else ():
            if (folder / "application.yaml").is_file():
                yield owner_of_folder(folder, "application")


def applications(outside: str = "") -> Iterator[Owner]:
    """Applications: those that ship, those of entry points, those in folders of the setting (separated by `:`)."""
    yield from shipped()
    for entry in entry_points(group=GROUP):
        yield owner_of_folder(_folder_of(entry.value), "application", entry.name)
    for written in filter(None, outside.split(":")):
        yield owner_of_folder(Path(written).expanduser().absolute(), "application")


def _folder_of(package: str) -> Path:
    """Where an entry point's package stands, without importing it."""
    try:
        found = find_spec(package)
    except (ImportError, ValueError):
        found = None
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else Path(package)


def place_folder(written: str) -> Path:
    """A place by name (under `places/` here or in the checkout) or by folder."""
    as_path = Path(written).expanduser()
    if as_path.is_dir() or "/" in written:
        return as_path.absolute()
    for top in (Path.cwd(), checkout()):
        if (top / "places" / written).is_dir():
            return top / "places" / written
    return checkout() / "places" / written


def owners_of(settings: Settings) -> list[Owner]:
    """Every owner of this instance: rooms, applications, the place."""
    found = [*rooms(), *applications(settings.applications)]
    if settings.place:
        found.append(owner_of_folder(place_folder(settings.place), "place"))
    return found
