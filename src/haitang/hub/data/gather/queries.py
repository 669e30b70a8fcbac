"""Reads about runs, quarantine and the quality of resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Max, QuerySet

from haitang.base import clock
from haitang.base.actions import Actor, permission, require
from haitang.base.durations import parse_span
from haitang.base.errors import error
from haitang.base.ports import policy
from haitang.hub.data.catalogue.kinds import Resource, ResourceField
from haitang.hub.data.gather.judge.columns import digest
from haitang.hub.data.gather.models import Held, Run, Understanding

READ = permission("gather.read", "查看采集任务和隔离数据")
NO_RUN = error("gather.no_run", 404, "没有这个采集任务。")
NO_ROW = error("gather.no_row", 404, "没有这一行隔离数据。")

_PROMISED = {
    "realtime": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7), "ten_days": timedelta(days=10), "monthly": timedelta(days=31),
    "quarterly": timedelta(days=92), "half_yearly": timedelta(days=183), "yearly": timedelta(days=366),
}  # fmt: skip


def visible(actor: Actor) -> QuerySet[Run]:
    """The runs that an actor may see: all, or those of their own organization."""
    if policy().decide(actor=actor, permission=READ, resource=None).allowed:
        return Run.objects.all()
    return Run.objects.filter(organization=actor.organization or "-")


def get(actor: Actor, id: str) -> Run:
    """One run that the actor may see; raises NO_RUN or base.not_allowed."""
    try:
        found = Run.objects.filter(pk=UUID(id)).first()
    except ValueError:
        found = None
    if found is None:
        raise NO_RUN()
    require(actor, READ, found)
    return found


def row(actor: Actor, id: int) -> Held:
    """One quarantined row that the actor may see; raises NO_ROW or base.not_allowed."""
    found = Held.objects.filter(pk=id).select_related("run").first() if 0 < id < 2**63 else None
    if found is None:
        raise NO_ROW()
    require(actor, READ, found.run)
    return found


def understood(resource: str, headings: list[str]) -> Mapping[str, Any]:
    """How a file with these headings was understood before; empty where none was."""
    found = Understanding.objects.filter(resource=resource, headings=digest(headings)).first()
    return found.columns if found else {}


def last_done(resource: str) -> Run | None:
    """The newest run that brought data of a resource."""
    return Run.objects.filter(resource=resource, state=Run.State.DONE, root__isnull=True).order_by("-finished_at").first()


def ended() -> dict[str, int]:
    """Resource -> when its newest run ended, in microseconds since 1970: it grows whenever the rows of the resource may have changed."""
    newest = Run.objects.filter(finished_at__isnull=False).order_by("resource").values_list("resource").annotate(Max("finished_at"))
    return {resource: round(at.timestamp() * 1_000_000) for resource, at in newest}


def fresh_until(resource: Resource, at: datetime) -> datetime | None:
    """Until when data of `at` is fresh; None where nothing is promised."""
    if resource.fresh_within:
        return at + parse_span(resource.fresh_within)
    promised = _PROMISED.get(resource.update)
    return at + promised * 1.5 if promised else None


def is_stale(resource: Resource, run: Run | None) -> bool:
    until = fresh_until(resource, run.finished_at) if run and run.finished_at else None
    return until is not None and clock.now() > until


@dataclass(frozen=True)
class Quality:
    """Of the rows that a run read, the shares (0 to 100) whose field had a value, had none, or was refused for it."""

    valid: float
    missing: float
    quarantined: float


def quality(run: Run | None, name: str, field: ResourceField) -> Quality | None:
    """The quality of one field in a run. A row may be refused for several fields: a refused row counts where the fault is.

    `missing` counts accepted rows without a value and rows refused because the field is required.
    """
    if run is None or not run.read:
        return None
    faults = run.faults.get(name, {})
    empty = run.accepted - run.repeated - run.filled.get(name, 0) + faults.get("required", 0)
    refused = sum(faults.values()) - faults.get("required", 0)
    valid = run.read - empty - refused
    return Quality(*(round(100 * max(n, 0) / run.read, 1) for n in (valid, empty, refused)))
