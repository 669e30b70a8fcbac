"""Brings the things of the place's folder into the table. What is there already is left alone: the database rules, `haitang place diff` shows the drift."""

from haitang.base.actions import Act
from haitang.base.declarations import Declarations, in_force
from haitang.support.infrastructure.things.actions import seed_thing
from haitang.support.infrastructure.things.kinds import Thing as Declared
from haitang.support.infrastructure.things.models import Thing


def seed(*, act: Act, declarations: Declarations | None = None) -> int:
    """Register the declared things (default: of the release in force) that are new; gives their number. Safe to repeat."""
    known = set(Thing.objects.values_list("id", flat=True))
    new = {id: declared for id, declared in (declarations or in_force()).all(Declared).items() if id not in known}
    for id, declared in new.items():
        seed_thing(act=act, id=id, declared=declared)
    return len(new)
