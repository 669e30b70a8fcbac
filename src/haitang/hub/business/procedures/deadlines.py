"""What the worker does with runs by itself: ends pauses, lets moves go that go by themselves, reminds, escalates, and projects anew when calendar or release changed.

Everything here may run twice, late, or after a crash: a reminder is given once per run and deadline, a pause ends at the moment its rule says.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any
from uuid import UUID

from haitang.base import clock, ports
from haitang.base.actions import Act, acting, action, system
from haitang.base.declarations import in_force
from haitang.base.text import T
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.actions import migrate
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.log import append, given_held, locked, project, state_held
from haitang.hub.business.procedures.models import Escalated, Run
from haitang.hub.business.procedures.queries import seen_now
from haitang.hub.business.procedures.subjects import subject
from haitang.hub.business.procedures.ticks import Tick, ticks
from haitang.support.security.people.queries import holders
from haitang.support.standards.queries import calendar_in_force

log = logging.getLogger(__name__)

DEADLINES = system("deadlines")
DEADLINES_MOVED = "deadlines_moved"  # the code of the remark that says so

DUE_SOON = T("即将到期：{title}（{number}）")
OVERDUE = T("超期督办：{title}（{number}）")
TEXTS = {
    ("due_soon", "stage"): T("“{stage}”环节将在 {due} 到期，请尽快办理。"),
    ("due_soon", "legal"): T("办结期限为 {due}，请尽快办理。"),
    ("overdue", "stage"): T("“{stage}”环节已于 {due} 到期，仍未办理，请督促。"),
    ("overdue", "legal"): T("办结期限 {due} 已过，仍未办结，请督促。"),
}


def attend_due() -> int:
    """Attend to every run whose moment has come; returns how many. Each in its own transaction, so that one that fails stops no other."""
    waiting = Run.objects.filter(next_at__lte=clock.now(), ended_at__isnull=True).order_by("next_at")
    return _each(waiting.values_list("pk", flat=True), attend)


def refresh_stale() -> int:
    """Project again, or take over into the new release, the open runs that were last seen under another calendar or release."""
    stale = Run.objects.filter(ended_at__isnull=True).exclude(seen=seen_now()).order_by("pk")
    return _each(stale.values_list("pk", flat=True), refresh)


def _each(runs: Iterable[UUID], do: Callable[..., None]) -> int:
    done = 0
    for run in runs:
        try:
            with acting(DEADLINES) as act:
                do(act=act, run=run)
            done += 1
        except Exception:
            log.exception("run %s could not be attended to; it is tried again in a minute", run)
    return done


@action("procedure.attend", title="到期提醒与督办")
def attend(*, act: Act, run: UUID) -> None:
    """Give the reminders and escalations of a run that are due and were not given; a pause that ran out has ended by locking the run."""
    held = locked(run, act=act)
    state = state_held(held, act=act)
    given = given_held(held, act=act)
    due = [
        tick
        for tick in ticks(state, calendar_in_force())
        if tick.at <= act.at and tick.kind in ("due_soon", "overdue") and tick.key not in given
    ]
    told = {tick.key: _tell(act, held, state, tick) for tick in due}
    Escalated.objects.bulk_create([Escalated(run=held, key=key, at=act.at, told=count) for key, count in told.items()])
    given.update(told)
    project(act=act, run=held)
    act.record(held.subject_kind, held.subject_id, {"run": str(held.pk), "told": told})


@action("procedure.refresh", title="重新计算期限")
def refresh(*, act: Act, run: UUID) -> None:
    """Compute a run's deadlines under today's calendar; where the release in force maps its stage, go on under that release.

    Where a deadline moved, or is no longer provisional, the timeline says so with the moments before and after.
    """
    held = locked(run, act=act)
    before = _standing(held)
    if _mapped(held, state_held(held, act=act)):
        migrate(act=act, run=run)
        held.refresh_from_db()
    project(act=act, run=held)
    if (after := _standing(held)) != before:
        append(act=act, run=held, what=e.Remarked("", DEADLINES_MOVED, {"before": before, "after": after}))
    act.record(held.subject_kind, held.subject_id, {"run": str(held.pk), "before": before, "after": after})


def _standing(run: Run) -> dict[str, Any]:
    """The deadlines of a run as JSON."""
    stage, legal = (due.astimezone(UTC).isoformat() if due else None for due in (run.stage_due_at, run.legal_due_at))
    return {"stage_due": stage, "legal_due": legal, "provisional": run.provisional}


def _mapped(run: Run, state: State) -> bool:
    """Whether the release in force changed this run's procedure and says what becomes of its stage."""
    declared = in_force().all(Procedure).get(run.procedure)
    if declared is None or state.ended_at:
        return False
    changed = declared.model_dump(mode="json") != state.definition.model_dump(mode="json")
    return changed and state.stage in declared.stage_map


def _tell(act: Act, run: Run, state: State, tick: Tick) -> int:
    """Tell the people of an escalation; returns how many. A reminder whose deadline has passed is left to the escalation."""
    assert tick.due
    if tick.kind == "due_soon" and act.at >= tick.due:
        return 0
    people = _people(state, _addressed(state, tick))
    described = subject(run.subject_kind).describe(run.subject_id)
    due, stage = tick.due.astimezone(clock.CHINA).strftime("%Y-%m-%d %H:%M"), state.definition.stages[state.stage].title
    assert tick.which
    ports.notices().tell(
        act=act,
        people=people,
        title=OVERDUE if tick.kind == "overdue" else DUE_SOON,
        text=TEXTS[tick.kind, tick.which],
        data={"title": described.title, "number": described.number, "due": due, "stage": stage},
        link=described.link,
        subject=f"{run.subject_kind}:{run.subject_id}",
        urgency=tick.kind,
    )
    return len(people)


def _addressed(state: State, tick: Tick) -> list[str]:
    """The roles an escalation tells; a reminder goes to those of them who can act now, where there are any."""
    roles = state.definition.escalations[tick.index].tells
    acting_now = {role for move in state.definition.moves.values() if state.stage in move.sources for role in move.roles}
    return ([role for role in roles if role in acting_now] or roles) if tick.kind == "due_soon" else roles


def _people(state: State, roles: list[str]) -> list[str]:
    """Holders of each role: in the organization that has the matter where there are any, unless the role acts for every organization."""
    found: dict[str, None] = {}
    for role in roles:
        everywhere = state.definition.acts_anywhere(role)
        near = list(holders([role], state.assigned).values_list("pk", flat=True)) if state.assigned and not everywhere else []
        found |= dict.fromkeys(map(str, near or holders([role]).values_list("pk", flat=True)))
    return list(found)
