"""Reads about groups of things."""

from typing import Any

from django.db.models import Count, Q, QuerySet, Value
from django.db.models.functions import NullIf

from haitang.base.actions import Actor, require
from haitang.support.infrastructure.groups.actions import NO_SUCH_GROUP
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing, ThingGroup
from haitang.support.infrastructure.things.queries import READ
from haitang.support.security.policy.rows import rows


def get(id: str) -> ThingGroup:
    """One group; raises NO_SUCH_GROUP."""
    found = ThingGroup.objects.filter(pk=id).first()
    if found is None:
        raise NO_SUCH_GROUP(id=id)
    return found


def get_for(actor: Actor, id: str) -> ThingGroup:
    """One group that an actor may read."""
    found = get(id)
    require(actor, READ, found)
    return found


def readable(actor: Actor) -> QuerySet[Any]:
    """The groups that an actor may read, each with `size`, its things that are not retired."""
    inside = Q(memberships__until=None) & ~Q(memberships__thing__status=Thing.RETIRED)
    owned = ThingGroup.objects.alias(held_by=NullIf("organization_id", Value("")))
    return owned.filter(rows(actor, READ).q({"organization": "held_by"}, {"kind": "thinggroup"})).annotate(
        size=Count("memberships", filter=inside)
    )


def windows(group: ThingGroup, at: Any) -> list[dict[str, Any]]:
    """What maintenance was noted for the group, the newest first: start, end, reason, how many things, its state."""
    rows = MaintenanceWindow.objects.filter(group=group.pk).order_by("-starts_at", "-id")
    found: dict[Any, dict[str, Any]] = {}
    for row in rows[:2000]:
        key = (row.starts_at, row.ends_at, row.reason, row.ended_at)
        told = found.setdefault(key, {"window": row, "state": row.state(at), "things": 0})
        told["things"] += 1
    return list(found.values())[:20]
