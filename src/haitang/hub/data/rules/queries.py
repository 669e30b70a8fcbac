"""Reads about alarms."""

from django.db.models import QuerySet

from haitang.base.actions import permission
from haitang.hub.data.rules.models import Alarm

READ = permission("alarm.read", "查看报警记录")


def open_alarms(thing: str | None = None) -> QuerySet[Alarm]:
    """Alarms that stand now, newest first; of one thing where given."""
    found = Alarm.objects.filter(cleared_at__isnull=True, withdrawn_at__isnull=True)
    return found.filter(thing=thing) if thing else found


def alarms(
    *,
    thing: str | None = None,
    rule: str | None = None,
    severity: str | None = None,
    origin: str | None = None,
    standing: bool | None = None,
) -> QuerySet[Alarm]:
    """Alarms by what is given, newest first; withdrawn ones too. `standing`: only those that stand now, or only those that do not."""
    given = {"thing": thing, "rule": rule, "severity": severity, "origin": origin}
    found = Alarm.objects.filter(**{key: value for key, value in given.items() if value})
    if standing is None:
        return found
    stands = {"cleared_at__isnull": True, "withdrawn_at__isnull": True}
    return found.filter(**stands) if standing else found.exclude(**stands)
