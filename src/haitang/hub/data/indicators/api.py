"""JSON: indicators."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from haitang.base import clock
from haitang.base.actions import require
from haitang.hub.data.indicators import queries
from haitang.support.security.people.identity import actor, signed_in

router = Router(tags=["indicators"], auth=signed_in)


class MemberOut(Schema):
    dimension: str
    member: str
    value: float | None
    status: str
    stale: bool
    origins: list[str]


class IndicatorOut(Schema):
    """An indicator as it stands; `stale`, `partial` and `origins` belong beside the number wherever it is shown."""

    id: str
    title: str
    unit: str
    digits: int
    better: str
    note: str | None
    owner: str
    value: float | None
    target: float | None
    status: str
    at: datetime | None
    source_time: datetime | None
    stale: bool
    partial: bool
    origins: list[str]
    members: list[MemberOut]


class PointOut(Schema):
    at: datetime
    value: float | None
    target: float | None
    partial: bool
    origins: list[str]
    definition: str
    release: str


class IndicatorDetail(IndicatorOut):
    """With its kept values of the last `days`."""

    history: list[PointOut]


@router.get("/indicators", response=list[IndicatorOut])
def indicators(request: HttpRequest) -> list[dict[str, Any]]:
    """All indicators in force."""
    require(actor(request), queries.READ)
    return [asdict(found) for found in queries.current()]


@router.get("/indicators/{id}", response=IndicatorDetail)
def indicator(request: HttpRequest, id: str, days: int = 90, dimension: str = "", member: str = "") -> dict[str, Any]:
    """One indicator with its history, of all or of one member."""
    require(actor(request), queries.READ)
    since = clock.now() - timedelta(days=min(max(days, 1), 3660))
    found = asdict(queries.one(id))
    return {**found, "history": [_point(p) for p in queries.history(id, since=since, dimension=dimension, member=member)]}


def _point(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in PointOut.model_fields}


@router.get("/indicators/{id}/records", response=list[dict[str, Any]])
def records(
    request: HttpRequest, id: str, dimension: str = "", member: str = "", limit: int = 100, offset: int = 0
) -> list[dict[str, Any]]:
    """The rows behind the number, newest first."""
    require(actor(request), queries.READ)
    require(actor(request), queries.read_permission_of_records(id))
    return queries.records(id, dimension=dimension, member=member, limit=limit, offset=offset)
