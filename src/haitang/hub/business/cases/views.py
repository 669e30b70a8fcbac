"""Cases as JSON values: ids stay ids, beside each stands its title in the reader's language."""

from typing import Any

from haitang.base.declarations import in_force
from haitang.base.text import translate
from haitang.hub.business.cases.kinds import CaseType
from haitang.hub.business.cases.models import Case, CaseAttachment
from haitang.hub.business.cases.queries import Entry, MoveNow, left, state_of_case, timeline
from haitang.hub.business.cases.standing import escalated, overdue


def row(case: Case) -> dict[str, Any]:
    """A case in a list."""
    declared = in_force().all(CaseType).get(case.case_kind)
    return {
        "id": str(case.pk),
        "number": case.number,
        "kind": case.case_kind,
        "kind_title": translate(declared.title) if declared else case.case_kind,
        "code": case.code,
        "title": case.title,
        "severity": case.severity,
        "stage": case.stage,
        "organization": case.organization_id,
        "organization_title": case.organization.title if case.organization else None,
        "handler": case.handler.name if case.handler else None,
        "origin": case.origin,
        "source": case.source,
        "filed_at": case.filed_at,
        "thing": case.thing,
        "division": case.division,
        "longitude": case.longitude,
        "latitude": case.latitude,
        "opened_at": case.opened_at,
        "stage_due_at": case.stage_due_at,
        "due_at": case.due_at,
        "provisional": case.provisional,
        "paused": case.paused,
        "overdue": overdue(case),
        "escalated": escalated(case),
        "cause_cleared_at": case.cause_cleared_at,
        "closed_at": case.closed_at,
        "closed_on_time": case.closed_on_time,
    }


def detail(case: Case) -> dict[str, Any]:
    """A case with its timeline, attachments, what is left of its limits, and what may be paused or extended."""
    state = state_of_case(case)
    definition = state.definition
    asked = state.extension_asked
    return {
        **row(case),
        "description": case.description,
        "facts": case.facts,
        "procedure": {"id": state.procedure, "title": translate(definition.title), "release": state.release},
        "stage_title": translate(definition.stages[state.stage].title),
        "left": {which: {"text": found.text, "overdue": found.overdue} for which, found in left(case, state).items()},
        "basis": translate(state.legal_limit.basis) if state.legal_limit else None,
        "paused_for": state.paused_for,
        "pause_ends_at": state.pause_ends_at,
        "pauses": {name: translate(pause.title) for name, pause in definition.pauses.items()},
        "extension_asked": {"within": asked.within, "reason": asked.reason, "at": asked.at} if asked else None,
        "timeline": [entry(found) for found in timeline(case)],
        "attachments": [attachment(found) for found in case.attachments.order_by("at")],
    }


def entry(found: Entry) -> dict[str, Any]:
    return dict(vars(found))


def attachment(found: CaseAttachment) -> dict[str, Any]:
    return {
        "digest": found.digest,
        "name": found.name,
        "media_type": found.media_type,
        "size": found.size,
        "by": found.by_name,
        "at": found.at,
    }


def move(found: MoveNow) -> dict[str, Any]:
    """A move with its questions; `refused` says why not."""
    return {
        "move": found.name,
        "title": translate(found.move.title),
        "to": found.move.to,
        "allowed": found.allowed,
        "refused": found.refused,
        "questions": {
            name: {
                "title": translate(question.title),
                "type": question.type,
                "required": question.required,
                "why": translate(question.why) if question.why else None,
                "choices": {word: translate(title) for word, title in question.choices.items()},
                "max_length": question.max_length,
                "unit": question.unit,
            }
            for name, question in found.questions.items()
        },
    }
