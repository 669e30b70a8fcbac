"""Reads of the twin."""

from collections.abc import Iterable

from django.db.models import QuerySet

from haitang.base.sql import rows
from haitang.support.infrastructure.twin.models import Reading


def latest(things: Iterable[str] | None = None, properties: Iterable[str] | None = None, statistic: str | None = None) -> QuerySet[Reading]:
    """The newest readings, of some things, properties and a statistic (`hour mean`) where given; ordered by thing, property, statistic."""
    found = Reading.objects.order_by("thing", "property", "statistic")
    if things is not None:
        found = found.filter(thing__in=list(things))
    if properties is not None:
        found = found.filter(property__in=list(properties))
    return found.filter(statistic=statistic) if statistic else found


def latest_as_json(things: Iterable[str] | None = None, properties: Iterable[str] | None = None, statistic: str | None = None) -> bytes:
    """The same as a JSON array of objects by column, which PostgreSQL writes: thousands of readings need not become values of Python first."""
    chosen, values = latest(things, properties, statistic).values().query.sql_with_params()
    return rows(f"select coalesce(json_agg(reading), '[]')::text from ({chosen}) reading", values)[0][0].encode()  # type: ignore[no-any-return]  # noqa: S608 - Django's


GOOD = ("normal", "flag:N")  # N: normal, by HJ 212


def flagged() -> QuerySet[Reading]:
    """The newest readings that their station, or the check of their range, marked as anything but normal."""
    return Reading.objects.exclude(quality__in=GOOD)
