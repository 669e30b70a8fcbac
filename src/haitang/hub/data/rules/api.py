"""JSON: alarms."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema

from haitang.base.actions import require
from haitang.hub.data.rules import queries
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["alarms"], auth=signed_in)


class AlarmOut(Schema):
    """One alarm; times with zone."""

    id: UUID
    rule: str
    title: str
    thing: str
    property: str
    statistic: str
    severity: str
    opened_at: datetime
    raised_at: datetime
    value: float | None
    cleared_at: datetime | None
    cleared_value: float | None
    withdrawn_at: datetime | None
    corrections: list[dict[str, Any]]
    case: str | None
    origin: str
    release: str


class AlarmPage(Schema):
    """A page of alarms, newest first; `total` counts all that match."""

    total: int
    items: list[AlarmOut]


class AlarmFilter(Schema):
    thing: str | None = None
    rule: str | None = None
    severity: str | None = None
    origin: str | None = None
    standing: bool | None = None


@router.get("/alarms", response=AlarmPage)
def alarms(request: HttpRequest, wanted: Query[AlarmFilter], limit: int = 100, offset: int = 0) -> dict[str, Any]:
    """Alarms by thing, rule, severity, origin; `standing=true` for those that stand now."""
    require(actor(request), queries.READ)
    found = queries.alarms(**wanted.dict())
    start = max(offset, 0)
    return {"total": found.count(), "items": list(found[start : start + min(max(limit, 1), 1000)])}
