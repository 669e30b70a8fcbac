"""How organizations stand in each other: as the tables say, for the declarations that are in force from the database.

A re-organization is a change of rows, so policies ask the rows: read when a process looks at the release, at most every two seconds. What is not in force (a spec
table, a release that is compared) knows only what its own files declare.
"""

from dataclasses import dataclass
from weakref import ref

from haitang.base.declarations import Declarations
from haitang.support.security.people.kinds import Organization as Declared


@dataclass(frozen=True)
class Tree:
    """`rows`: (id, parent, division) of each organization."""

    rows: tuple[tuple[str, str | None, str | None], ...]

    def of(self) -> dict[str, tuple[str | None, str | None]]:
        return {id: (parent, division or None) for id, parent, division in self.rows}


_latest: tuple["ref[Declarations]", Tree] | None = None


def look(declarations: Declarations) -> None:
    """Read the rows for what is in force."""
    global _latest
    from haitang.support.security.people.models import Organization

    rows = list(Organization.objects.order_by("id").values_list("id", "parent_id", "division"))
    known = {id for id, _, _ in rows}
    found = Tree((*rows, *(row for row in _declared(declarations) if row[0] not in known)))
    if _latest is None or _latest[0]() is not declarations or _latest[1] != found:
        _latest = ref(declarations), found


def tree_of(declarations: Declarations | None) -> Tree:
    """The rows where `declarations` are what was looked at, else what the files say."""
    if _latest is not None and declarations is not None and _latest[0]() is declarations:
        return _latest[1]
    return Tree(tuple(_declared(declarations)) if declarations else ())


def _declared(declarations: Declarations) -> list[tuple[str, str | None, str | None]]:
    return [(id, each.parent, each.division) for id, each in declarations.all(Declared).items()]
