"""Reads about things."""

from datetime import datetime, timedelta

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Coalesce

from haitang.base import clock
from haitang.base.actions import permission
from haitang.support.infrastructure.things.actions import NO_SUCH_THING
from haitang.support.infrastructure.things.models import MaintenanceWindow, Thing

READ = permission("thing.read", "查看设备")
REMEMBERED = timedelta(days=60)  # an ended window is of no more use to a rule about silence


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
