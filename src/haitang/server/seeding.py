"""Brings the place's folder into the tables: organizations and things that are not there yet.

Folders seed; from then on the database rules. A row that exists is never written again, so a later edit on a page stays.
"""

from dataclasses import dataclass
from typing import Any

from haitang.base.actions import Act
from haitang.base.declarations import Declarations
from haitang.server.discovery import modules
from haitang.support.infrastructure.things.kinds import Thing as DeclaredThing
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.people.kinds import Organization as DeclaredOrganization
from haitang.support.security.people.models import Organization


def seed(declarations: Declarations, *, act: Act) -> int:
    """Create what the place declares and the tables lack, room by room (`seed.py`); returns how many rows were made."""
    return sum(module.seed(act=act, declarations=declarations) for module in modules("seed"))


@dataclass(frozen=True)
class Drift:
    """One difference between the place's folder and the tables. `what`: only in the folder, only in the database, or another value."""

    what: str
    kind: str
    id: str
    key: str = ""
    folder: Any = None
    database: Any = None

    def __str__(self) -> str:
        name = f"{self.kind} {self.id}"
        if self.what == "differs":
            return f"{name}：{self.key}  文件夹 {self.folder} ，数据库 {self.database}"
        return f"{name}：{'只在文件夹里' if self.what == 'folder' else '只在数据库里'}"


_ORGANIZATION = ("title", "fills", "division")
_THING = ("title", "device", "division", "longitude", "latitude", "mn")


def drift(declarations: Declarations) -> list[Drift]:
    """How far the tables have moved from what the folder seeded."""
    organizations = {row.pk: {**_row(row, _ORGANIZATION), "parent": row.parent_id} for row in Organization.objects.all()}
    things = {row.pk: {**_row(row, _THING), "organization": row.organization_id} for row in Thing.objects.all()}
    declared = declarations.all(DeclaredOrganization)
    return [
        *_compare("organization", {id: {**_row(d, _ORGANIZATION), "parent": d.parent} for id, d in declared.items()}, organizations),
        *_compare(
            "thing",
            {id: {**_row(d, _THING), "organization": d.organization} for id, d in declarations.all(DeclaredThing).items()},
            things,
        ),
    ]


def _row(source: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: getattr(source, key) for key in keys}


def _compare(kind: str, folder: dict[str, dict[str, Any]], database: dict[str, dict[str, Any]]) -> list[Drift]:
    found = [Drift("folder", kind, id) for id in folder if id not in database]
    found += [Drift("database", kind, id) for id in database if id not in folder]
    for id in folder:
        for key, written in folder[id].items() if id in database else ():
            kept = database[id][key]
            if (written or None) != (kept or None):
                found.append(Drift("differs", kind, id, key, written, kept))
    return found
