"""Who may do what to a run now, pure. A refusal gives every reason at once, in words that a page can show."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from haitang.base.actions import Actor
from haitang.base.durations import parse_limit
from haitang.hub.business.procedures.condition import parse
from haitang.hub.business.procedures.engine import State, answer_facts
from haitang.hub.business.procedures.kinds import Move


@dataclass(frozen=True)
class Reason:
    """Why not. `text` is a text of the catalogue with places for `data`."""

    code: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format(**{key: "、".join(value) if isinstance(value, list) else value for key, value in self.data.items()})


@dataclass(frozen=True)
class Allowed:
    """It may be done."""


@dataclass(frozen=True)
class Refused:
    """It may not be done, for all these reasons."""

    reasons: tuple[Reason, ...]

    @property
    def codes(self) -> set[str]:
        return {reason.code for reason in self.reasons}


Verdict = Allowed | Refused


def _verdict(*reasons: Reason | None) -> Verdict:
    found = tuple(reason for reason in reasons if reason)
    return Refused(found) if found else Allowed()


def decide(
    state: State,
    move: str,
    actor: Actor,
    at: datetime,
    missing: Sequence[str] = (),
    *,
    answers: Mapping[str, Any] | None = None,
    fills: Collection[str] = (),
    gone: bool = False,
) -> Verdict:
    """Whether `actor` may make `move` at `at`.

    `missing`: titles of required questions that are not answered. `answers`: those to this move; None: not given yet, so a condition on them is not
    judged. `fills`: the organization roles that the actor's organization fills.
    `gone`: the person who was named left the platform or that organization, so that anyone of the organization may take over.
    """
    declared = state.definition.moves.get(move)
    if declared is None:
        return Refused(
            (Reason("unknown_move", "流程“{procedure}”没有“{move}”这一步", {"procedure": state.definition.title, "move": move}),)
        )
    return _verdict(
        _open(state, at),
        _running(state),
        None if state.stage in declared.sources else Reason("other_stage", "现在处于“{stage}”环节", {"stage": _stage(state)}),
        _role(declared.roles, actor),
        _separate(state, declared.barred, actor),
        _assigned(state, actor, gone) if declared.only else None,
        _waits_for(state, move, declared, actor, fills) if declared.each else None,
        _guarded(state, declared, answers),
        Reason("missing_answers", "还需填写：{questions}", {"questions": list(missing)}) if missing else None,
    )


def decide_pause(state: State, reason: str, actor: Actor, at: datetime) -> Verdict:
    """Whether `actor` may stop the clocks for the declared `reason`."""
    declared = state.definition.pauses.get(reason)
    if declared is None:
        return Refused((Reason("unknown_pause", "流程没有规定“{reason}”可以暂停计时", {"reason": reason}),))
    late = Reason("too_late", "办结期限已过，不能再暂停计时") if _overdue(state, at) else None
    return _verdict(_open(state, at), _running(state), _role(declared.roles, actor), late)


def decide_resume(state: State, actor: Actor, at: datetime) -> Verdict:
    """Whether `actor` may let the clocks run again: who may pause for that reason may also resume."""
    if state.paused_for is None:
        return Refused((Reason("not_paused", "计时没有暂停"),))
    declared = state.definition.pauses.get(state.paused_for)
    return _verdict(_open(state, at), _role(declared.roles, actor) if declared else None)


def decide_extension(state: State, within: str, actor: Actor, at: datetime) -> Verdict:
    """Whether `actor` may ask for an extension by `within`."""
    declared = state.definition.extension
    if declared is None or state.legal_due is None:
        return Refused((Reason("no_extension", "流程没有规定可以延期"),))
    try:
        asked, most = parse_limit(within), parse_limit(declared.at_most)
    except ValueError:
        return Refused((Reason("extension_unreadable", "读不懂延期时长“{within}”，写成 1 working day 的样子", {"within": within[:40]}),))
    fits = asked.clock is most.clock and asked.amount <= most.amount
    return _verdict(
        _open(state, at),
        _role(declared.roles, actor),
        Reason("too_late", "办结期限已过，不能再申请延期") if _overdue(state, at) else None,
        Reason("already_asked", "已有一项延期申请待审批") if state.extension_asked else None,
        Reason("extensions_used", "最多延期 {times} 次", {"times": declared.times}) if len(state.extensions) >= declared.times else None,
        None if fits else Reason("extension_too_long", "每次最多延期 {most}", {"most": declared.at_most}),
    )


def decide_approval(state: State, actor: Actor, at: datetime) -> Verdict:
    """Whether `actor` may decide the extension that was asked for; never the one who asked."""
    declared, asked = state.definition.extension, state.extension_asked
    if declared is None or asked is None:
        return Refused((Reason("nothing_asked", "没有待审批的延期申请"),))
    own = Reason("own_request", "不能审批自己提出的延期申请") if asked.by in actor.refs else None
    return _verdict(_open(state, at), _role(declared.approvers, actor), own)


def _open(state: State, at: datetime) -> Reason | None:
    if state.ended_at:
        return Reason("ended", "流程已结束")
    if at < state.at:
        return Reason("out_of_order", "时间早于上一步，不能倒序办理")
    return None


def _overdue(state: State, at: datetime) -> bool:
    """Whether the legal deadline has passed; while paused it stands where it stood when the pause began."""
    return state.legal_due is not None and (state.paused_since or at) > state.legal_due.at


def _running(state: State) -> Reason | None:
    return Reason("paused", "计时已暂停，请先恢复") if state.paused_since else None


def _role(roles: Sequence[str], actor: Actor) -> Reason | None:
    if not roles:
        return Reason("by_itself", "这一步由系统自动办理")
    return None if actor.roles & set(roles) else Reason("role", "需要角色：{roles}", {"roles": list(roles)})


def _separate(state: State, barred: Sequence[str], actor: Actor) -> Reason | None:
    made = [state.definition.moves[move].title for move in barred if actor.refs & state.made_for(move)]
    return Reason("own_work", "您办理了“{moves}”，应由他人办理这一步", {"moves": made}) if made else None


def _assigned(state: State, actor: Actor, gone: bool) -> Reason | None:
    if state.assigned_person and not gone and state.assigned_person not in {ref.partition(":")[2] for ref in actor.refs}:
        return Reason("other_person", "已指定其他人员办理")
    if state.assigned and actor.organization != state.assigned:
        return Reason("other_organization", "已派遣给其他单位办理")
    return None


def parts_of(declared: Move, actor: Actor, fills: Collection[str]) -> list[str]:
    """For which of those who must answer this actor stands."""
    return [part for part in declared.each if part in actor.roles or part in fills]


def open_part(state: State, move: str, actor: Actor, fills: Collection[str]) -> str | None:
    """The part that this actor would answer for now."""
    given = state.answered.get(move, {})
    return next((part for part in parts_of(state.definition.moves[move], actor, fills) if part not in given), None)


def _waits_for(state: State, move: str, declared: Move, actor: Actor, fills: Collection[str]) -> Reason | None:
    if not parts_of(declared, actor, fills):
        return Reason("not_asked", "这一步由以下各方分别答复：{parts}", {"parts": list(declared.each)})
    if actor.refs & set(state.answered.get(move, {}).values()):
        return Reason("answered", "您已答复，等待其他各方")
    return None if open_part(state, move, actor, fills) else Reason("answered", "本方已有人答复，等待其他各方")


def _guarded(state: State, declared: Move, answers: Mapping[str, Any] | None) -> Reason | None:
    if declared.if_ is None:
        return None
    condition = parse(declared.if_)
    asks = any(compared.word.startswith("answers.") for compared in condition.compared)
    if (answers is None and asks) or condition.holds({**state.facts, **answer_facts(answers or {})}):
        return None
    return (
        Reason("condition", declared.otherwise)
        if declared.otherwise
        else Reason("condition", "还不符合条件：{condition}", {"condition": declared.if_})
    )


def _stage(state: State) -> str:
    return state.definition.stages[state.stage].title
