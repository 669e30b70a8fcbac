"""Reads about commands."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from haitang.base import clock
from haitang.base.errors import error
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.models import Thing

NO_SUCH_COMMAND = error("commands.no_such_command", 404, "设备“{thing}”没有这条指令。")


def of(thing: Thing) -> QuerySet[DeviceCommand]:
    """A thing's commands, the newest first."""
    return DeviceCommand.objects.filter(thing=thing)


def waiting(things: Sequence[str]) -> QuerySet[DeviceCommand]:
    """What is still to be delivered to these things, oldest first."""
    return DeviceCommand.objects.filter(thing_id__in=things, state=DeviceCommand.QUEUED, expires_at__gt=clock.now()).order_by("id")


def find(thing: str, id: str) -> DeviceCommand | None:
    """A command of this thing, by an id that a device sent."""
    try:
        return DeviceCommand.objects.filter(thing_id=thing, pk=UUID(id)).first()
    except ValueError:
        return None


def get(thing: Thing, id: str) -> DeviceCommand:
    """A command of this thing; raises NO_SUCH_COMMAND."""
    found = find(thing.id, id)
    if found is None:
        raise NO_SUCH_COMMAND(thing=thing.title)
    return found
