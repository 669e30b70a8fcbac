"""Deadlines in a list: which one comes first, what remains on its clock. Works from the row alone, without replaying the log."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.durations import Clock, Limit, parse_limit
from haitang.base.text import T, translate
from haitang.hub.business.cases.filters import SOON
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.engine import legal_limit
from haitang.hub.business.procedures.kinds import Procedure
from haitang.support.standards.queries import calendar_in_force
from haitang.support.standards.wording import limit_text, remaining

CLOCKS = {Clock.EMERGENCY: T("昼夜连续计算"), Clock.WORKING_HOURS: T("只计工作时间"), Clock.WORKING_DAYS: T("按工作日计算")}
STAGE_SOON = timedelta(hours=2)


@dataclass(frozen=True)
class ShownDeadline:
    """What a page shows. `exact`: the moment, the limit as declared and how its clock counts."""

    sentence: str
    state: Literal["overdue", "due-soon", "running", "paused"]
    exact: str
    provisional: bool


def procedure_of(case: Case) -> Procedure | None:
    """The procedure that the release in force gives the case's type (the case itself may still run under an older release)."""
    declared = in_force().all(CaseType).get(case.case_kind)
    return in_force().all(Procedure).get(declared.procedure) if declared else None


def _limits(case: Case) -> tuple[Limit | None, Limit | None]:
    procedure = procedure_of(case)
    if procedure is None:
        return None, None
    stage, legal = procedure.stages.get(case.stage), legal_limit(procedure, case.opened_at)
    return (parse_limit(stage.within) if stage and stage.within else None, parse_limit(legal.within) if legal else None)


def first_deadline(case: Case) -> ShownDeadline | None:
    """The deadline of an open case that comes first; None where nothing is due."""
    stage, legal = _limits(case)
    due = [(at, limit, soon) for at, limit, soon in ((case.stage_due_at, stage, STAGE_SOON), (case.due_at, legal, SOON)) if at]
    if case.closed_at or not due:
        return None
    at, limit, soon = min(due, key=lambda each: each[0])
    limit, now = limit or parse_limit("1 emergency minute"), clock.now()
    left = remaining(at, now, limit.clock, calendar_in_force())
    exact = f"{at.astimezone(clock.CHINA):%Y-%m-%d %H:%M} +08:00 · {limit_text(limit)}，{translate(CLOCKS[limit.clock])}"
    if case.paused:
        return ShownDeadline(translate("计时已暂停"), "paused", exact, case.provisional)
    return ShownDeadline(left.text, "overdue" if left.overdue else "due-soon" if at - now <= soon else "running", exact, case.provisional)
