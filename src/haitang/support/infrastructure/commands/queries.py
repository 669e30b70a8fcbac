"""Reads about commands."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from haitang.base import clock
from haitang.base.errors import error
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.models import Thing

NO_SUCH_COMMAND = error("commands.no_such_command", 404, "设备“{thing}”没有这条指令。")
UNHEARD = timedelta(minutes=5)  # after its time a command that was sent may still be answered


def of(thing: Thing) -> QuerySet[DeviceCommand]:
    """A thing's commands, the newest first."""
    return DeviceCommand.objects.filter(thing=thing)


def waiting(protocol: str, things: Iterable[str]) -> QuerySet[DeviceCommand]:
    """What is still to be sent to these things, oldest first."""
    return _unsent(protocol, things).filter(state=DeviceCommand.QUEUED).order_by("issued_at", "id")


def unacknowledged(protocol: str, things: Iterable[str]) -> QuerySet[DeviceCommand]:
    """What is to be sent, or again because nobody acknowledged it, oldest first: for protocols that repeat."""
    again = Q(state=DeviceCommand.SENT, confirms=True)
    return _unsent(protocol, things).filter(Q(state=DeviceCommand.QUEUED) | again).order_by("issued_at", "id")


def _unsent(protocol: str, things: Iterable[str]) -> QuerySet[DeviceCommand]:
    return DeviceCommand.objects.filter(protocol=protocol, thing_id__in=list(things), expires_at__gt=clock.now())


def under_way(protocol: str) -> QuerySet[DeviceCommand]:
    """What was sent and has not ended."""
    return DeviceCommand.objects.filter(protocol=protocol, state__in=(DeviceCommand.SENT, DeviceCommand.ACKNOWLEDGED))


def overdue(at: datetime) -> QuerySet[DeviceCommand]:
    """What nobody took in its time."""
    unheard = Q(state=DeviceCommand.SENT, sent_at__lte=at - UNHEARD)
    return DeviceCommand.objects.filter(Q(state=DeviceCommand.QUEUED) | unheard, expires_at__lte=at)


def find(thing: str, id: str) -> DeviceCommand | None:
    """A command of this thing, by an id that a thing or an address told."""
    try:
        return DeviceCommand.objects.select_related("thing").filter(thing_id=thing, pk=UUID(id)).first()
    except ValueError:
        return None


def get(thing: Thing, id: str) -> DeviceCommand:
    """A command of this thing; raises NO_SUCH_COMMAND."""
    found = find(thing.id, id)
    if found is None:
        raise NO_SUCH_COMMAND(thing=thing.title)
    return found
