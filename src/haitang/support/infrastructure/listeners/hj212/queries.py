"""Reads about commands to stations."""

from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from haitang.base.errors import error
from haitang.support.infrastructure.listeners.hj212.models import StationCommand

NO_SUCH_COMMAND = error("hj212.no_such_command", 404, "没有这条命令。")


def of_thing(thing: str, count: int = 20) -> QuerySet[StationCommand]:
    """The newest commands of a station."""
    return StationCommand.objects.filter(thing_id=thing)[:count]


def get(thing: str, id: str) -> StationCommand:
    """One command of a station; raises NO_SUCH_COMMAND."""
    try:
        return StationCommand.objects.select_related("thing").get(pk=id, thing_id=thing)
    except (StationCommand.DoesNotExist, ValidationError):  # the second: no UUID
        raise NO_SUCH_COMMAND() from None


def next_for(stations: Iterable[str]) -> dict[str, StationCommand]:
    """The oldest queued command of each of these MNs."""
    waiting = StationCommand.objects.filter(state="queued", thing__mn__in=list(stations)).select_related("thing").order_by("-asked_at")
    return {str(found.thing.mn): found for found in waiting}


def overdue(at: datetime) -> list[StationCommand]:
    """Queued commands whose time to wait is over."""
    return list(StationCommand.objects.filter(state="queued", expires_at__lte=at).select_related("thing"))


def left_open() -> list[StationCommand]:
    """Commands that were out when the listener ended."""
    return list(StationCommand.objects.filter(state__in=("sent", "executing")).select_related("thing"))
