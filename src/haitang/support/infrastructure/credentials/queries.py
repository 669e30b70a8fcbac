"""Reads about device credentials."""

from django.db.models import Q, QuerySet

from haitang.base import clock
from haitang.base.errors import error
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.things.models import Thing

NO_SUCH_CREDENTIAL = error("credentials.no_such_credential", 404, "设备“{thing}”没有凭据 {identifier}。")


def of(thing: Thing) -> QuerySet[DeviceCredential]:
    """Every credential that a thing ever had, the newest first."""
    return DeviceCredential.objects.filter(thing=thing)


def get(thing: Thing, identifier: str) -> DeviceCredential:
    """One of a thing's credentials; raises NO_SUCH_CREDENTIAL."""
    found = of(thing).select_related("thing").filter(pk=identifier).first()
    if found is None:
        raise NO_SUCH_CREDENTIAL(thing=thing.title, identifier=identifier)
    return found


def current() -> QuerySet[DeviceCredential]:
    """Those that let somebody in now."""
    holds = Q(valid_until=None) | Q(valid_until__gt=clock.now())
    return DeviceCredential.objects.filter(holds, ended_at=None).exclude(thing__status=Thing.RETIRED)
