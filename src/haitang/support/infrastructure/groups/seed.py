"""Brings the place's groups into the table, and things into their groups. Who was taken out of a group on a page is not put back."""

from haitang.base.actions import Act
from haitang.base.declarations import Declarations, in_force
from haitang.support.infrastructure.groups.actions import seed_group
from haitang.support.infrastructure.things.kinds import Thing as Declared
from haitang.support.infrastructure.things.kinds import ThingGroup as DeclaredGroup
from haitang.support.infrastructure.things.models import Membership, Thing, ThingGroup
from haitang.support.infrastructure.things.seed import seed as seed_things


def seed(*, act: Act, declarations: Declarations | None = None) -> int:
    """Safe to repeat; gives the number of rows made. Things come first: this room is found before theirs."""
    declared = declarations or in_force()
    made = seed_things(act=act, declarations=declared)
    groups = declared.all(DeclaredGroup)
    there = set(ThingGroup.objects.values_list("pk", flat=True))
    ever = set(Membership.objects.values_list("group_id", "thing_id"))
    things = set(Thing.objects.values_list("pk", flat=True))
    for id, group in groups.items():
        inside = [t for t, d in declared.all(Declared).items() if id in d.groups and (id, t) not in ever and t in things]
        if inside or id not in there:
            made += seed_group(act=act, id=id, declared=group, things=inside)
    return made
