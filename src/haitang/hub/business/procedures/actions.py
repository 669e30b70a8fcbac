"""Writes of runs. Each locks the run, decides on the replayed state, appends one event and projects the new state."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from haitang.base.actions import Act, action
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.hub.business.procedures import decide as verdicts
from haitang.hub.business.procedures import effects
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.log import append, begin, locked, settle, state_held
from haitang.hub.business.procedures.models import Run
from haitang.hub.business.procedures.queries import about, keep_definition
from haitang.hub.business.procedures.rehearsal import made, paused
from haitang.hub.business.procedures.wording import sentence
from haitang.support.standards.queries import calendar_in_force

REFUSED = error("procedures.refused", 409, "不能办理：{why}")


def refuse_unless(verdict: verdicts.Verdict) -> None:
    """Raise REFUSED with every reason of a refusal."""
    if isinstance(verdict, verdicts.Refused):
        raise REFUSED(why="；".join(map(sentence, verdict.reasons)), reasons=[reason.code for reason in verdict.reasons])


@action("procedure.start", title="启动流程")
def start_run(
    *,
    act: Act,
    procedure: str,
    subject_kind: str,
    subject_id: str,
    organization: str | None = None,
    facts: Mapping[str, Any] | None = None,
    report: bool = False,
) -> Run:
    """Start a run of `procedure` about a subject; `organization` is to whom it is addressed, `facts` the values of registered words.

    `report`: it begins where the procedure has reports begin. Raises base.not_declared.
    """
    declared = in_force().get(Procedure, procedure)
    keep_definition(declared)
    stage = (declared.reports_start if report else None) or declared.start
    run = begin(act=act, procedure=declared, stage=stage, subject_kind=subject_kind, subject_id=subject_id)
    append(act=act, run=run, what=e.Started(procedure, stage, organization, dict(facts or {})))
    settle(act=act, run=run)
    return run


@action("procedure.move", title="办理环节")
def make_move(*, act: Act, run: UUID, move: str, answers: Mapping[str, Any] | None = None, missing: Sequence[str] = ()) -> Run:
    """Make a move; raises procedures.refused with every reason. `missing`: titles of required questions without an answer."""
    held = locked(run, act=act)
    state, given = state_held(held, act=act), dict(answers or {})
    known = about(state, act.actor, act)
    refuse_unless(verdicts.decide(state, move, act.actor, act.at, missing, answers=given, **known))
    for what in made(state, move, given, act.actor, known["fills"]):
        after = append(act=act, run=held, what=what)
        if isinstance(what, e.Moved):
            effects.carry_out(state.definition.moves[move], act=act, run=held, state=after, answers=given)
    settle(act=act, run=held)
    return held


@action("procedure.pause", title="暂停计时")
def pause(*, act: Act, run: UUID, reason: str, note: str = "") -> Run:
    """Stop the clocks for a declared reason; they run again by themselves at its `at most`."""
    held = locked(run, act=act)
    state = state_held(held, act=act)
    refuse_unless(verdicts.decide_pause(state, reason, act.actor, act.at))
    append(act=act, run=held, what=paused(state, reason, note, act.at, calendar_in_force()))
    return held


@action("procedure.resume", title="恢复计时")
def resume(*, act: Act, run: UUID) -> Run:
    """Let the clocks run again before `at most`."""
    held = locked(run, act=act)
    refuse_unless(verdicts.decide_resume(state_held(held, act=act), act.actor, act.at))
    append(act=act, run=held, what=e.Resumed())
    settle(act=act, run=held)
    return held


@action("procedure.ask_extension", title="申请延期")
def ask_extension(*, act: Act, run: UUID, reason: str, within: str | None = None) -> Run:
    """Ask for an extension of the legal deadline by `within` (default: the most that is allowed)."""
    held = locked(run, act=act)
    state = state_held(held, act=act)
    most = state.definition.extension.at_most if state.definition.extension else "1 working day"
    refuse_unless(verdicts.decide_extension(state, within or most, act.actor, act.at))
    append(act=act, run=held, what=e.ExtensionAsked(within or most, reason))
    return held


@action("procedure.decide_extension", title="审批延期")
def decide_extension(*, act: Act, run: UUID, approved: bool, reason: str = "") -> Run:
    """Approve or refuse the extension that was asked for; never one's own."""
    held = locked(run, act=act)
    refuse_unless(verdicts.decide_approval(state_held(held, act=act), act.actor, act.at))
    append(act=act, run=held, what=e.ExtensionDecided(approved, reason))
    return held


@action("procedure.remark", title="添加说明")
def remark(
    *, act: Act, run: UUID, text: str, code: str = "", data: Mapping[str, Any] | None = None, facts: Mapping[str, Any] | None = None
) -> Run:
    """Put a remark on the timeline; it moves nothing, so an ended run takes it too. `facts`: registered words that have another value from here on."""
    held = locked(run, act=act)
    append(act=act, run=held, what=e.Remarked(text, code, dict(data or {}), dict(facts or {})))
    settle(act=act, run=held)
    return held


@action("duties.hand_over", title="移交未办结的事项")
def hand_over(*, act: Act, run: UUID, taker: str) -> Run:
    """What was given to one person is `taker`'s (an id) from here on; whoever calls has checked that they may have it."""
    held = locked(run, act=act)
    append(act=act, run=held, what=e.HandedOver(taker, state_held(held, act=act).assigned_person or ""))
    return held


@action("procedure.migrate", title="流程换版")
def migrate(*, act: Act, run: UUID) -> Run:
    """Go on under the release in force, as its `stage_map` says. The caller has checked that it maps the run's stage."""
    held = locked(run, act=act)
    state = state_held(held, act=act)
    declared = in_force().get(Procedure, held.procedure)
    keep_definition(declared)
    append(act=act, run=held, what=e.Migrated(state.stage, declared.stage_map[state.stage]))
    settle(act=act, run=held)
    return held
