"""Reads of the twin."""

from collections.abc import Iterable

from django.db.models import QuerySet

from haitang.support.infrastructure.twin.models import Reading


def latest(things: Iterable[str] | None = None, properties: Iterable[str] | None = None, statistic: str | None = None) -> QuerySet[Reading]:
    """The newest readings, of some things, properties and a statistic (`hour mean`) where given; ordered by thing, property, statistic."""
    found = Reading.objects.order_by("thing", "property", "statistic")
    if things is not None:
        found = found.filter(thing__in=list(things))
    if properties is not None:
        found = found.filter(property__in=list(properties))
    return found.filter(statistic=statistic) if statistic else found


GOOD = ("normal", "flag:N")  # N: normal, by HJ 212


def flagged() -> QuerySet[Reading]:
    """The newest readings that their station, or the check of their range, marked as anything but normal."""
    return Reading.objects.exclude(quality__in=GOOD)
