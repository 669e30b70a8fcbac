"""Whether a case is late and whether it was escalated (督办), for whole lists in one query.

A pause does not make late what was late when it began: such a case stays overdue. One that was in time when it was paused is not overdue while the pause lasts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from haitang.base import clock
from haitang.base.actions import Act
from haitang.base.sql import rows
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.log import given_held, last_pause_held
from haitang.hub.business.procedures.models import Escalated, RunEvent

ESCALATED = Exists(Escalated.objects.filter(run=OuterRef("run"), key__startswith="overdue:"))
_OF_ONE = """select exists(select 1 from procedures_escalated where run_id = %s and key like 'overdue:%%'),
                    (select at from procedures_runevent where run_id = %s and kind = 'paused' order by number desc limit 1)"""
PAUSED_SINCE = Subquery(RunEvent.objects.filter(run=OuterRef("run"), kind="paused").order_by("-number").values("at")[:1])


def with_standing(found: QuerySet[Case]) -> QuerySet[Any]:
    """The cases with `escalated` (bool) and `last_pause` (when the last pause began, or None), which `escalated` and `overdue` read."""
    return found.annotate(escalated=ESCALATED, last_pause=PAUSED_SINCE)


def overdue_at(at: datetime) -> Q:
    """Open cases of which a deadline has passed at `at`; of paused ones, before the pause began."""
    late = Q(paused=True) & (Q(stage_due_at__lt=PAUSED_SINCE) | Q(due_at__lt=PAUSED_SINCE))
    return Q(closed_at__isnull=True) & (late | Q(paused=False) & (Q(stage_due_at__lt=at) | Q(due_at__lt=at)))


def escalated(case: Case) -> bool:
    """Whether an escalation was given because a deadline of the case had passed."""
    return bool(_annotated(case).escalated)


def overdue(case: Case) -> bool:
    """As `overdue_at` says it of this moment."""
    at = _annotated(case).last_pause if case.paused else clock.now()
    return case.closed_at is None and any(due and due < at for due in (case.stage_due_at, case.due_at))


def read_anew(case: Case) -> Case:
    """Bring a case up to what has just been done with it, its organization, handler, run and standing with it: one query."""
    found = with_standing(Case.objects.select_related("organization", "handler", "run")).get(pk=case.pk)
    case.__dict__.update({name: value for name, value in found.__dict__.items() if name != "_state"})
    case._state.fields_cache = found._state.fields_cache
    return case


def standing_of_new(case: Case) -> None:
    """A case that was opened just now was neither paused nor escalated."""
    case.__dict__.update(escalated=False, last_pause=None)


def standing_held(case: Case, *, act: Act) -> None:
    """Of a case whose run `act` holds, the log and what was given are read already."""
    assert case.run
    given = given_held(case.run, act=act)
    case.__dict__.update(escalated=any(key.startswith("overdue:") for key in given), last_pause=last_pause_held(case.run, act=act))


@dataclass(frozen=True)
class _Standing:
    """What `with_standing` says of one case."""

    escalated: bool
    last_pause: datetime | None


def _annotated(case: Case) -> Any:
    return case if hasattr(case, "escalated") else _Standing(*rows(_OF_ONE, [case.run_id, case.run_id])[0])
