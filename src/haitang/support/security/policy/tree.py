"""How organizations stand in each other, and which role each fills: as the tables say, for the declarations that are in force from the database.

A re-organization is a change of rows, so policies ask the rows: read when a process looks at the release, at most every two seconds. What is not in force (a spec
table, a release that is compared) knows only what its own files declare.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from weakref import ref

from haitang.base.declarations import Declarations
from haitang.support.security.people.kinds import Organization as Declared


@dataclass(frozen=True)
class Tree:
    """`rows`: (id, parent, division) of each organization; `fills`: (organization role, id) of those that are active, the first of a role counts."""

    rows: tuple[tuple[str, str | None, str | None], ...]
    fills: tuple[tuple[str, str], ...] = ()

    def of(self) -> dict[str, tuple[str | None, str | None]]:
        return {id: (parent, division or None) for id, parent, division in self.rows}

    @cached_property
    def filling(self) -> dict[str, str]:
        """Organization role -> the organization that fills it."""
        return dict(reversed(self.fills))


_latest: tuple["ref[Declarations]", Tree] | None = None


def look(declarations: Declarations) -> None:
    """Read the rows for what is in force."""
    global _latest
    from haitang.support.security.people.models import Organization

    rows = list(Organization.objects.order_by("id").values_list("id", "parent_id", "division", "fills", "active"))
    known = {row[0] for row in rows}
    declared = _declared(declarations)
    found = Tree(
        (*(row[:3] for row in rows), *(row for row in declared.rows if row[0] not in known)),
        (*_fills((row[0], row[3]) for row in rows if row[4]), *((role, id) for role, id in declared.fills if id not in known)),
    )
    if _latest is None or _latest[0]() is not declarations or _latest[1] != found:
        _latest = ref(declarations), found


def tree_of(declarations: Declarations | None) -> Tree:
    """The rows where `declarations` are what was looked at, else what the files say."""
    if _latest is not None and declarations is not None and _latest[0]() is declarations:
        return _latest[1]
    return _declared(declarations) if declarations else Tree(())


def _declared(declarations: Declarations) -> Tree:
    found = declarations.all(Declared)
    fills = _fills((id, each.fills) for id, each in sorted(found.items()))
    return Tree(tuple((id, each.parent, each.division) for id, each in found.items()), fills)


def _fills(given: Iterable[tuple[str, Iterable[str]]]) -> tuple[tuple[str, str], ...]:
    return tuple((role, id) for id, roles in given for role in roles)
