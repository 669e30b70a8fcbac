"""Reads of cases: lists, one case, its timeline, what may be done with it now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case as When
from django.db.models import IntegerField, Value
from django.db.models import When as Then

from haitang.base import clock
from haitang.base.actions import Actor, permission, require
from haitang.base.durations import parse_limit
from haitang.base.errors import error
from haitang.base.sql import columns, read, rows
from haitang.base.text import translate
from haitang.hub.business.cases.filters import SORTS, Filters, filtered, visible
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.standing import with_standing
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.decide import Refused, decide
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.kinds import Move
from haitang.hub.business.procedures.queries import about, events_of, questions_for, state_of
from haitang.hub.business.procedures.wording import sentence as sentence  # pages read it from here
from haitang.support.security.people.models import Organization, Person
from haitang.support.standards.queries import calendar_in_force
from haitang.support.standards.wording import Remaining, limit_text, remaining

permission("case.read", "查看案件")

NO_CASE = error("cases.no_case", 404, "没有编号为 {number} 的案件。")
BAD_SORT = error("cases.bad_sort", 422, "不能按“{sort}”排序，可用：{known}")
SEVERITIES = ("critical", "serious", "warning", "notice")
MOST_A_PAGE = 200
_OF_CASE = len(Case._meta.concrete_fields)
_TO_WORK_ON = (
    f"select {columns(Case, 'c.')}, {columns(Organization, 'o.')} from {Case._meta.db_table} c "  # noqa: S608 - names of the models
    f"left join {Organization._meta.db_table} o on o.id = c.organization_id where c.number = %s"
)


@dataclass(frozen=True)
class Page:
    """One page of cases; `total` counts all that the filters let through. Pages count from 1."""

    cases: list[Case]
    total: int
    page: int
    size: int


@dataclass(frozen=True)
class MoveNow:
    """A move of the case's procedure from its present stage. `refused`: why the actor may not make it, in the reader's language; empty: allowed."""

    name: str
    move: Move
    questions: dict[str, Question]
    refused: list[str]

    @property
    def allowed(self) -> bool:
        return not self.refused


@dataclass(frozen=True)
class Entry:
    """One line of the timeline: `kind` is the event's word, `title` and `text` in the reader's language, `answers` by question."""

    number: int
    kind: str
    at: datetime
    actor_name: str
    organization: str | None
    title: str
    text: str
    answers: dict[str, Any]
    release: str


def cases(actor: Actor, filters: Filters = Filters(), *, sort: str = "-opened", page: int = 1, size: int = 50) -> Page:  # noqa: B008 - frozen
    """A page of the cases that the actor may read; raises BAD_SORT."""
    if sort not in SORTS:
        raise BAD_SORT(sort=sort, known="、".join(SORTS))
    page, size = max(page, 1), min(max(size, 1), MOST_A_PAGE)
    found = filtered(with_standing(visible(actor)), filters, actor).select_related("organization", "handler", "run")
    ranks = [Then(severity=name, then=Value(rank)) for rank, name in enumerate(SEVERITIES)]
    ordered = found.annotate(severity_rank=When(*ranks, default=Value(9), output_field=IntegerField())).order_by(*SORTS[sort], "pk")
    return Page(list(ordered[(page - 1) * size : page * size]), found.count(), page, size)


def case_by_number(actor: Actor, number: str) -> Case:
    """One case that the actor may read, with its standing; raises NO_CASE, or base.not_allowed."""
    found = with_standing(Case.objects.select_related("organization", "handler", "run"))
    return _permitted(actor, number, next(iter(found.filter(number=number)), None))


def case_to_work_on(actor: Actor, number: str) -> Case:
    """`case_by_number` for whoever goes on to change it: only its own row, and whose it is."""
    found = next(iter(rows(_TO_WORK_ON, [number])), None)
    if found is None:
        return _permitted(actor, number, None)
    case, organization = read(Case, found[:_OF_CASE]), found[_OF_CASE:]
    case.organization = read(Organization, organization) if case.organization_id else None
    return _permitted(actor, number, case)


def _permitted(actor: Actor, number: str, found: Case | None) -> Case:
    if found is None:
        raise NO_CASE(number=number[:40])
    require(actor, "case.read", found)
    return found


def state_of_case(case: Case) -> State:
    """Where the case stands, replayed from its log."""
    assert case.run
    return state_of(case.run)


def moves_for(case: Case, actor: Actor) -> list[MoveNow]:
    """Every move from the present stage, allowed or refused with its reasons. Moves of other stages are left out."""
    state, found = state_of_case(case), []
    known = about(state, actor)
    for name, move in state.definition.moves.items():
        if state.stage in move.sources:
            verdict = decide(state, name, actor, max(clock.now(), state.at), **known)
            reasons = [sentence(reason) for reason in verdict.reasons] if isinstance(verdict, Refused) else []
            found.append(MoveNow(name, move, questions_for(state.definition, name), reasons))
    return found


def left(case: Case, state: State | None = None) -> dict[str, Remaining]:
    """What is left of the stage's limit (`stage`) and the legal one (`legal`), counted until the pause began or the case ended."""
    now = state or state_of_case(case)
    at = now.ended_at or now.paused_since or clock.now()
    within, found = now.definition.stages[now.stage].within, {}
    if within and now.stage_due:
        found["stage"] = remaining(now.stage_due.at, at, parse_limit(within).clock, calendar_in_force())
    if now.legal_limit and now.legal_due:
        found["legal"] = remaining(now.legal_due.at, at, parse_limit(now.legal_limit.within).clock, calendar_in_force())
    return found


def timeline(case: Case) -> list[Entry]:
    """What happened, in order."""
    assert case.run
    state, found = state_of_case(case), []
    for event in events_of(case.run):
        title, text, answers = _told(event.what, state)
        found.append(
            Entry(event.number, event.kind, event.at, event.name, event.organization, title, text, answers, event.release),
        )
    return found


def _told(what: e.What, state: State) -> tuple[str, str, dict[str, Any]]:
    definition = state.definition
    match what:
        case e.Started():
            return translate("受理") if what.stage == definition.reports_start else translate("立案"), "", {}
        case e.Moved():
            move = definition.moves.get(what.move)
            return (
                translate(move.title) if move else what.move,
                str(what.answers.get("note") or what.answers.get("reason") or ""),
                what.answers,
            )
        case e.Answered():
            move = definition.moves.get(what.move)
            title = translate("答复：{move}", move=translate(move.title) if move else what.move)
            return title, str(what.answers.get("note") or what.answers.get("reason") or ""), what.answers
        case e.Paused():
            declared = definition.pauses.get(what.reason)
            return translate("暂停计时：{reason}", reason=translate(declared.title) if declared else what.reason), what.note, {}
        case e.Resumed():
            return translate("暂停到期，自动恢复计时") if what.automatic else translate("恢复计时"), "", {}
        case e.ExtensionAsked():
            return translate("申请延期 {within}", within=limit_text(parse_limit(what.within))), what.reason, {}
        case e.ExtensionDecided():
            return translate("延期已批准") if what.approved else translate("延期未批准"), what.reason, {}
        case e.Remarked() if what.code == "deadlines_moved":
            return translate("期限重新计算"), _deadlines_moved(what.data), {}
        case e.Remarked() if what.code == "cause_cleared":
            return translate("起因解除"), translate("报警于 {at} 解除", at=_moment(what.data["at"])), {}
        case e.Remarked():
            return translate("说明"), what.text, {}
        case e.HandedOver():
            return translate("移交办理人"), _person_name(what.person), {}
        case e.Migrated():
            return translate("流程换版"), "", {}


def _person_name(id: str) -> str:
    return Person.objects.filter(pk=id).values_list("name", flat=True).first() or ""


def _deadlines_moved(data: Mapping[str, Any]) -> str:
    """From when to when, and whether it is sure now."""
    said = []
    for name, text in (("stage_due", "本环节期限由 {before} 改为 {after}"), ("legal_due", "办结期限由 {before} 改为 {after}")):
        before, after = (_moment(data[when].get(name)) for when in ("before", "after"))
        if before != after:
            said.append(translate(text, before=before, after=after))
    if data["before"].get("provisional") and not data["after"].get("provisional"):
        said.append(translate("工作日历已公布，期限不再是暂定"))
    return "；".join(said)


def _moment(written: str | None) -> str:
    return f"{datetime.fromisoformat(written).astimezone(clock.CHINA):%Y-%m-%d %H:%M}" if written else "—"
