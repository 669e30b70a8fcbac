"""Reads about things."""

from django.db.models import QuerySet

from haitang.base.actions import permission
from haitang.support.infrastructure.things.actions import NO_SUCH_THING
from haitang.support.infrastructure.things.models import Thing

READ = permission("thing.read", "查看设备")


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
