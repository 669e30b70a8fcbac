"""Reads of the place: its divisions and boundary, from the declarations in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from haitang.base.declarations import in_force
from haitang.hub.business.places.kinds import Boundary, Division


@dataclass
class Branch:
    """A division and the divisions in it."""

    code: str
    title: str
    level: str
    children: list["Branch"] = field(default_factory=list)


def division_of(code: str) -> Division | None:
    """The division with this code, else the nearest one that contains it: a grid or community code finds its village, else its town."""
    divisions = in_force().all(Division)
    for length in (len(code), 12, 9, 6):
        if length <= len(code) and code[:length] in divisions:
            return divisions[code[:length]]
    return None


def division_tree() -> list[Branch]:
    """Divisions by their parents, in order of code; one whose parent is not declared stands at the top."""
    divisions = in_force().all(Division)
    branches = {code: Branch(code, declared.title, declared.level) for code, declared in sorted(divisions.items())}
    roots: list[Branch] = []
    for code, branch in branches.items():
        parent = branches.get(_parent(code, divisions))
        (parent.children if parent else roots).append(branch)
    return roots


def _parent(code: str, divisions: Mapping[str, Division]) -> str:
    """As declared, else by the structure of GB/T 10114 codes: a village lies in the town of its first 9 digits."""
    return divisions[code].parent or {12: code[:9], 9: code[:6]}.get(len(code), "")


def boundary() -> dict[str, Any] | None:
    """The place's boundary as GeoJSON in CGCS2000, or None where it declares none."""
    found = next(iter(in_force().all(Boundary).values()), None)
    return found.geojson if found else None
