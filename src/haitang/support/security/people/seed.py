"""Brings the organizations of the place's folder into the table. One that is there already is left alone: the database rules."""

from haitang.base.actions import Act
from haitang.base.declarations import Declarations, in_force
from haitang.support.security.people.actions import seed_organization
from haitang.support.security.people.kinds import Organization as Declared
from haitang.support.security.people.models import Organization


def seed(*, act: Act, declarations: Declarations | None = None) -> int:
    """Create the declared organizations (default: of the release in force) that are new, parents before children; gives their number. Safe to repeat."""
    known = set(Organization.objects.values_list("id", flat=True))
    waiting = {id: found for id, found in (declarations or in_force()).all(Declared).items() if id not in known}
    made = 0
    while ready := [id for id, found in waiting.items() if found.parent is None or found.parent in known]:
        for id in ready:
            seed_organization(act=act, id=id, declared=waiting.pop(id))
            known.add(id)
            made += 1
    return made
