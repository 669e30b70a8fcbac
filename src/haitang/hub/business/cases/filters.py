"""Which cases a list shows."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from ninja import Schema
from pydantic import ConfigDict

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.standing import ESCALATED, overdue_at
from haitang.support.security.policy.rows import rows

SOON = timedelta(hours=24)
SORTS = {
    "opened": ("opened_at",), "-opened": ("-opened_at",), "due": ("due_at", "opened_at"), "-due": ("-due_at", "opened_at"),
    "number": ("number",), "-number": ("-number",), "severity": ("severity_rank", "-opened_at"),
}  # fmt: skip

COLUMNS = {"organization": "organization_id", "division": "division", "stage": "stage"}  # what a policy may ask of a case


NONE = "-"  # as a division, organization or source: that none is known


class Filters(Schema):
    """What to show, also as the parameters of an address; what is None or empty does not filter.

    `open`: True open, False closed. `mine`: cases that the actor, or the actor's organization, has. `due_soon`: a limit ends within 24 hours.
    `escalated`: somebody was told that a limit has passed (督办).
    `text`: in number, title or description. `since` and `until`: opened in [since, until). `division` and below it, `=CODE` only itself; `-`: none is known,
    likewise for `organization` and `source`.
    """

    model_config = ConfigDict(frozen=True)

    stage: str = ""
    kind: str = ""
    severity: str = ""
    organization: str = ""
    source: str = ""
    origin: str = ""
    thing: str = ""
    division: str = ""
    text: str = ""
    open: bool | None = None
    mine: bool = False
    overdue: bool = False
    escalated: bool = False
    due_soon: bool = False
    since: datetime | None = None
    until: datetime | None = None


def visible(actor: Actor) -> QuerySet[Case]:
    """The cases that the actor may read."""
    return Case.objects.filter(rows(actor, "case.read").q(COLUMNS, {"kind": "case"}))


def filtered(found: QuerySet[Case], filters: Filters, actor: Actor) -> QuerySet[Case]:
    """The cases among `found` that `filters` let through."""
    equal = {
        "stage": filters.stage,
        "case_kind": filters.kind,
        "severity": filters.severity,
        "origin": filters.origin,
        "thing": filters.thing,
    }
    found = found.filter(**{name: value for name, value in equal.items() if value})
    if filters.organization:
        found = found.filter(organization_id=None if filters.organization == NONE else filters.organization)
    if filters.source:
        found = found.filter(source="" if filters.source == NONE else filters.source)
    if filters.division:
        found = found.filter(**_of_division(filters.division))
    if filters.open is not None:
        found = found.filter(closed_at__isnull=filters.open)
    if filters.text:
        words = filters.text.replace("\x00", "")
        found = found.filter(Q(number__icontains=words) | Q(title__icontains=words) | Q(description__icontains=words))
    if filters.mine:
        found = found.filter(_mine(actor))
    return _timed(found, filters)


def _of_division(written: str) -> dict[str, str]:
    if written == NONE or written.startswith("="):
        return {"division": written.removeprefix("=").removeprefix(NONE)}
    return {"division__startswith": written}


def _mine(actor: Actor) -> Q:
    named = Q(handler_id=actor.id) if actor.kind == "staff" else Q(pk__in=[])
    return named | Q(handler__isnull=True, organization_id=actor.organization) if actor.organization else named


def _timed(found: QuerySet[Case], filters: Filters) -> QuerySet[Case]:
    now = clock.now()
    if filters.overdue:
        found = found.filter(overdue_at(now))
    if filters.escalated:
        found = found.filter(ESCALATED)
    if filters.due_soon:
        found = found.filter(_passed(now + SOON), closed_at__isnull=True, paused=False).exclude(_passed(now))
    if filters.since:
        found = found.filter(opened_at__gte=filters.since)
    if filters.until:
        found = found.filter(opened_at__lt=filters.until)
    return found


def _passed(at: datetime) -> Q:
    return Q(stage_due_at__lt=at) | Q(due_at__lt=at)
