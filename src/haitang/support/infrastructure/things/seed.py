"""Brings the things of the place's folder into the table. What is there already is left alone: the database rules, `haitang place diff` shows the drift."""

from haitang.base.actions import Act
from haitang.base.declarations import in_force
from haitang.support.infrastructure.things.actions import seed_thing
from haitang.support.infrastructure.things.kinds import Thing as Declared
from haitang.support.infrastructure.things.models import Thing


def seed(*, act: Act) -> None:
    """Register the declared things that are new; safe to repeat."""
    known = set(Thing.objects.values_list("id", flat=True))
    for id, declared in in_force().all(Declared).items():
        if id not in known:
            seed_thing(act=act, id=id, declared=declared)
