"""Reads of runs: the log as events, definitions by release, the state."""

import hashlib
import json
from functools import lru_cache
from typing import TypedDict

from haitang.base.actions import Act, Actor
from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.sql import rows
from haitang.hub.business.forms.kinds import Question
from haitang.hub.business.forms.queries import questions
from haitang.hub.business.procedures.engine import State, replay
from haitang.hub.business.procedures.events import Event, from_json
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.models import Definition, Run, RunEvent
from haitang.support.security.people.models import Person
from haitang.support.standards.queries import calendar_in_force

NO_DEFINITION = error("procedures.no_definition", 500, "流程“{procedure}”在版本 {release} 中的定义没有保存，无法推进。请报告平台维护人员。")


def definition(release: str, procedure: str) -> Procedure:
    """A procedure as it stood in a release; raises NO_DEFINITION. Of the release in force it is what is declared, which is what was kept."""
    now = in_force()
    if release == now.digest and (declared := now.all(Procedure).get(procedure)):
        return declared
    kept = Definition.objects.filter(release=release, procedure=procedure).values_list("body", flat=True).first()
    if kept is None:
        raise NO_DEFINITION(procedure=procedure, release=release)
    return _read(procedure, kept)


@lru_cache(256)
def _read(procedure: str, body: str) -> Procedure:
    found = Procedure.model_validate_json(body)
    found._id = procedure
    return found


def keep_definition(procedure: Procedure) -> None:
    """Keep a procedure of the release in force, so that its runs can always be replayed."""
    release = in_force().digest
    if not rows("select 1 from procedures_definition where release = %s and procedure = %s", [release, procedure.id]):
        body = procedure.model_dump_json(by_alias=True)
        Definition.objects.get_or_create(release=release, procedure=procedure.id, defaults={"body": body})


def events_of(run: Run) -> list[Event]:
    """The log of a run, in order."""
    return [event_of(row) for row in run.events.order_by("number")]


_LOG = """select number, at, actor, actor_name, organization, release, data, on_behalf_of, (select array_agg(key) from procedures_escalated where run_id = %s)
          from procedures_runevent where run_id = %s order by number"""


def log_of(run: Run) -> tuple[list[Event], set[str]]:
    """`events_of`, and the keys of the reminders and escalations that were given, in one statement."""
    found = rows(_LOG, [run.pk, run.pk])
    events = [
        Event(number, at, actor, name, organization, release, from_json(json.loads(data)), on_behalf_of)
        for number, at, actor, name, organization, release, data, on_behalf_of, _ in found
    ]
    return events, {key for *_, given in found[:1] for key in given or ()}


def event_of(row: RunEvent) -> Event:
    return Event(row.number, row.at, row.actor, row.actor_name, row.organization, row.release, from_json(row.data), row.on_behalf_of)


def state_of(run: Run) -> State:
    """The state that the log gives under today's calendar."""
    return replay(definition, events_of(run), calendar_in_force())


def seen_now() -> str:
    """Digest of what projections depend on besides their log: the calendar and the release in force."""
    return hashlib.sha256(f"{calendar_in_force().digest} {in_force().digest}".encode()).hexdigest()


def questions_for(procedure: Procedure, move: str) -> dict[str, Question]:
    """The questions of a move, by name, in the order they are asked."""
    return questions(procedure.moves[move].asks)


class About(TypedDict):
    """What `decide` must know of organizations and people beside the log."""

    fills: frozenset[str]
    gone: bool


def about(state: State, actor: Actor, act: Act | None = None) -> About:
    """`decide(state, move, actor, at, **about(state, actor))`; with `act` what its transaction has read already is not read again."""
    if act is None:
        return About(fills=fills_of(actor), gone=_gone(state))
    if (fills := act.memory.get((fills_of, actor.organization))) is None:
        fills = act.memory[fills_of, actor.organization] = fills_of(actor)
    return About(fills=fills, gone=_gone(state))


def _gone(state: State) -> bool:
    """Whether the person to whom the run was given is no longer an active member of the organization that has it."""
    if state.assigned_person is None:
        return False
    return not Person.objects.filter(pk=state.assigned_person, is_active=True, organization_id=state.assigned).exists()


def fills_of(actor: Actor) -> frozenset[str]:
    """The organization roles that the actor's organization fills."""
    found = rows("select fills from people_organization where id = %s and active", [actor.organization]) if actor.organization else []
    return frozenset(found[0][0]) if found else frozenset()
