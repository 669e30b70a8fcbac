"""Reads about things."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Max, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, NullIf

from haitang.base import clock
from haitang.base.actions import Actor, permission, require
from haitang.support.infrastructure.things.actions import NO_SUCH_THING
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing, ThingGroup, ThingLocation
from haitang.support.security.people.models import Person
from haitang.support.security.policy.rows import rows

READ = permission("thing.read", "查看设备")
REMEMBERED = timedelta(days=60)  # an ended window is of no more use to a rule about silence


# What a policy may ask of a thing. An empty text is an absent attribute.
_SEEN = {
    "ref": Concat(Value("thing:"), "id"), "organization": NullIf("organization_id", Value("")), "division": NullIf("division", Value("")),
    "owner": Concat(Value("device:"), "id"), "stage": F("status"), "device": NullIf("device", Value("")),
}  # fmt: skip


def readable(actor: Actor, permission: str = READ) -> QuerySet[Thing]:
    """The things that an actor may read, or do with what `permission` says: those of their organization where they may no more."""
    seen = {f"seen_{name}": expression for name, expression in _SEEN.items()}
    return Thing.objects.alias(**seen).filter(rows(actor, permission).q({name: f"seen_{name}" for name in _SEEN}, {"kind": "thing"}))


def get_for(actor: Actor, id: str, permission: str = READ) -> Thing:
    """One thing that an actor may read; raises NO_SUCH_THING, and NOT_ALLOWED as a decision about this thing."""
    found = get(id)
    require(actor, permission, found)
    return found


def get(id: str) -> Thing:
    """One thing; raises NO_SUCH_THING."""
    found = Thing.objects.filter(pk=id).first()
    if found is None:
        raise NO_SUCH_THING(id=id)
    return found


def by_mn(mn: str) -> Thing | None:
    """The thing with this HJ 212 device number, whatever its status."""
    return Thing.objects.filter(mn=mn).first()


def all_admitted() -> QuerySet[Thing]:
    """Things whose data is stored: admitted ones, and provisional ones until a person decides."""
    return Thing.objects.exclude(status=Thing.RETIRED)


def waiting() -> QuerySet[Thing]:
    """Provisional things that wait for a decision."""
    return Thing.objects.filter(status=Thing.PROVISIONAL)


def maintained_until(now: datetime) -> dict[str, datetime]:
    """Thing -> the latest end of its maintenance windows that have begun by `now`; later than `now` while one runs. One query, small: for rules."""
    end = Coalesce("ended_at", "ends_at")
    begun = MaintenanceWindow.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=F("starts_at")), starts_at__lte=now, ends_at__gt=now - REMEMBERED
    )
    return dict(begun.order_by().values("thing").annotate(until=Max(end)).values_list("thing", "until"))


def maintained(now: datetime | None = None) -> set[str]:
    """The things that are being worked on."""
    at = now or clock.now()
    return {thing for thing, until in maintained_until(at).items() if until > at}


def windows_of(thing: Thing) -> QuerySet[MaintenanceWindow]:
    """A thing's maintenance windows, the newest first."""
    return MaintenanceWindow.objects.filter(thing=thing)


def locations_of(thing: Thing) -> list[tuple[ThingLocation, datetime | None]]:
    """Where a thing stood, the newest first, each with until when (None: still)."""
    found = list(ThingLocation.objects.filter(thing=thing))
    return list(zip(found, [None, *(each.since for each in found)], strict=False))


def locations_at(things: Sequence[str], at: datetime) -> Mapping[str, ThingLocation]:
    """Where things stood at a moment: what they observed then belongs there. Before the first that is known, the first."""
    known = ThingLocation.objects.filter(thing_id__in=list(things)).order_by("thing_id", "-since")
    found = {each.thing_id: each for each in known.filter(since__lte=at).distinct("thing_id")}
    earliest = {each.thing_id: each for each in known.filter(since__gt=at).order_by("thing_id", "since").distinct("thing_id")}
    return {**earliest, **found}


def groups_of(thing: Thing) -> QuerySet[ThingGroup]:
    """The groups that a thing is in."""
    return ThingGroup.objects.filter(memberships__thing=thing, memberships__until=None)


def names_of(refs: Iterable[str]) -> dict[str, str]:
    """ref -> the name to show: a person's, or that of a process of the platform."""
    refs = set(refs)
    people = [ref.partition(":")[2] for ref in refs if not ref.startswith("system:") and ref.count("-") == 4]
    known = {str(id): name for id, name in Person.objects.filter(pk__in=people).values_list("pk", "name")}
    return {ref: known.get(ref.partition(":")[2], ref.partition(":")[2]) for ref in refs}
