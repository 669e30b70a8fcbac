"""What the page of one case shows."""

from typing import Any

from haitang.base import clock
from haitang.base.actions import Actor
from haitang.base.declarations import in_force
from haitang.base.durations import parse_limit
from haitang.base.ports import policy
from haitang.base.text import translate
from haitang.hub.business.cases.answered import answered
from haitang.hub.business.cases.deadlines import CLOCKS, first_deadline
from haitang.hub.business.cases.kinds import CaseType, sources
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import MoveNow, left, moves_for, sentence, state_of_case, timeline
from haitang.hub.business.cases.standing import escalated
from haitang.hub.business.cases.submission import Submission
from haitang.hub.business.procedures import decide
from haitang.hub.business.procedures.engine import State
from haitang.support.infrastructure.things.models import Thing
from haitang.support.security.people.models import Organization, Person
from haitang.support.standards.wording import limit_text


def context_of(case: Case, actor: Actor, tried: Submission | None = None) -> dict[str, Any]:
    """Everything, with what a failed submission brings back."""
    state = state_of_case(case)
    done = timeline(case)
    return {
        "case": case,
        "kind": in_force().all(CaseType).get(case.case_kind),
        "source": sources().get(case.source, case.source),
        "state": state,
        "stages": _path(state),
        "deadlines": _deadlines(case, state),
        "deadline": first_deadline(case),
        "escalated": escalated(case),
        "answers": answered(case),
        "timeline": done[::-1],
        "seen": len(done),
        "moves": _forward_first(state, moves_for(case, actor)) if not case.closed_at else [],
        "clocks": _clock_doings(state, actor) if not case.closed_at else [],
        "attachments": list(case.attachments.order_by("at")),
        "thing": Thing.objects.filter(pk=case.thing).first() if case.thing else None,
        "organizations": Organization.objects.filter(active=True).order_by("title"),
        "organization_titles": dict(Organization.objects.values_list("pk", "title")),
        "people": people_for(state),
        "may_remark": policy().decide(actor=actor, permission="case.remark", resource=case).allowed,
        "may_attach": policy().decide(actor=actor, permission="case.attach", resource=case).allowed,
        "tried": tried,
    }


def _forward_first(state: State, moves: list[MoveNow]) -> list[MoveNow]:
    """The next step first, then ends, then ways back."""
    ids = list(state.definition.stages)
    now = ids.index(state.stage)
    return sorted(moves, key=lambda found: (ids.index(found.move.to) <= now, ids.index(found.move.to)))


def people_for(state: State) -> Any:
    """Whom a case can be given to: active people of any organization, the form checks that person and organization fit."""
    return (
        Person.objects.filter(is_active=True, kind="staff", organization__isnull=False)
        .select_related("organization")
        .order_by("organization", "name")
    )


def _path(state: State) -> list[tuple[str, str]]:
    """(title, done | now | later) of the stages that the case has been in and, while it is open, of those to come up to the first end."""
    ids = list(state.definition.stages)
    now = ids.index(state.stage)
    first_end = next(id for id in ids if state.definition.stages[id].end)
    been = {state.started_in, *(state.definition.moves[made.move].to for made in state.made if made.move in state.definition.moves)}
    to_come = [] if state.ended_at else [id for id in ids[now:] if not state.definition.stages[id].end or id == first_end]
    shown = [id for id in ids if id == state.stage or id in been or id in to_come]
    return [(state.definition.stages[id].title, "now" if id == state.stage else "done" if ids.index(id) < now else "later") for id in shown]


def _deadlines(case: Case, state: State) -> list[dict[str, Any]]:
    """Limit, clock, what is left and on what basis: of the stage and of the law."""
    remaining = left(case, state)
    within = state.definition.stages[state.stage].within
    rows: list[dict[str, Any]] = []
    if state.stage_due and within:
        limit = parse_limit(within)
        rows.append(
            {
                "title": "本环节期限",
                "limit": limit_text(limit),
                "clock": CLOCKS[limit.clock],
                "due": state.stage_due,
                "left": remaining["stage"],
                "basis": "",
            }
        )
    if state.legal_due and state.legal_limit:
        limit = parse_limit(state.legal_limit.within)
        rows.append(
            {
                "title": "办结期限",
                "limit": limit_text(limit),
                "clock": CLOCKS[limit.clock],
                "due": state.legal_due,
                "left": remaining["legal"],
                "basis": state.legal_limit.basis,
            }
        )
    for row in rows:
        row["state"] = "paused" if case.paused else "overdue" if row["left"].overdue else "running"
        row["closed"] = bool(state.ended_at)
    return rows


def _why_not(verdict: decide.Verdict) -> list[str]:
    return [sentence(reason) for reason in verdict.reasons] if isinstance(verdict, decide.Refused) else []


def _clock_doings(state: State, actor: Actor) -> list[dict[str, Any]]:
    """What may be done to the clocks: pause for a declared reason, resume, ask for or decide an extension. Only what this moment offers."""
    at, declared = max(clock.now(), state.at), state.definition
    if state.paused_since:
        title = declared.pauses[state.paused_for].title if state.paused_for in declared.pauses else ""
        return [
            {"what": "resume", "title": "恢复计时", "says": translate(title), "refused": _why_not(decide.decide_resume(state, actor, at))}
        ]
    doings: list[dict[str, Any]] = []
    if declared.pauses and state.legal_due:
        refused = _why_not(decide.decide_pause(state, next(iter(declared.pauses)), actor, at))
        doings.append(
            {
                "what": "pause",
                "title": "暂停计时",
                "reasons": {id: pause.title for id, pause in declared.pauses.items()},
                "refused": refused,
            }
        )
    if asked := state.extension_asked:
        refused = _why_not(decide.decide_approval(state, actor, at))
        doings.append(
            {
                "what": "decide",
                "title": "审批延期",
                "says": f"{asked.reason}（{limit_text(parse_limit(asked.within))}）",
                "refused": refused,
            }
        )
    elif declared.extension:
        refused = _why_not(decide.decide_extension(state, declared.extension.at_most, actor, at))
        doings.append(
            {"what": "extend", "title": "申请延期", "says": limit_text(parse_limit(declared.extension.at_most)), "refused": refused}
        )
    return doings
