"""How an event enters the log: under the run's row lock, numbered without a gap, with evidence, and the projection in step.

Only actions and tasks of this room write here.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from haitang.base.actions import Act, system
from haitang.base.errors import error
from haitang.base.sql import add, change, columns, read, rows
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.automatic import MOST_AT_ONCE, next_move
from haitang.hub.business.procedures.effects import carry_out
from haitang.hub.business.procedures.engine import State, replay
from haitang.hub.business.procedures.events import Event
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.models import Run, RunEvent
from haitang.hub.business.procedures.queries import definition, event_of, log_of, seen_now, state_of
from haitang.hub.business.procedures.rehearsal import moved
from haitang.hub.business.procedures.subjects import subject
from haitang.hub.business.procedures.ticks import ticks
from haitang.support.standards.queries import calendar_in_force

log = logging.getLogger(__name__)

NO_RUN = error("procedures.no_run", 404, "没有编号为 {run} 的流程。")


_LOCKED = f"select {columns(Run)} from {Run._meta.db_table} where id = %s for update"  # noqa: S608 - names of the model
_PROJECTED = (
    "stage",
    "release",
    "ended_at",
    "stage_due_at",
    "legal_due_at",
    "provisional",
    "paused",
    "next_at",
    "seen",
)  # what `project` writes


@dataclass
class _Held:
    """A run that this transaction holds locked, with its log, the keys of the reminders and escalations that were given, and the state that the log gives: nobody
    else can add to it before the transaction ends."""

    run: Run
    events: list[Event]
    given: set[str]
    state: State | None = None


def state_held(run: Run, *, act: Act) -> State:
    """`state_of(run)` without reading again the log of a run that `act` holds. Not to be changed."""
    known: _Held | None = act.memory.get((Run, run.pk))
    if known is None:
        return state_of(run)
    if known.state is None:
        known.state = replay(definition, known.events, calendar_in_force())
    return known.state


def given_held(run: Run, *, act: Act) -> set[str]:
    """Keys of the reminders and escalations of a run that `act` holds. Who gives more adds them."""
    held: _Held = act.memory[Run, run.pk]
    return held.given


def last_pause_held(run: Run, *, act: Act) -> datetime | None:
    """When the last pause of a run that `act` holds began; None where it never was paused."""
    held: _Held = act.memory[Run, run.pk]
    return next((event.at for event in reversed(held.events) if isinstance(event.what, e.Paused)), None)


def locked(run: UUID, *, act: Act) -> Run:
    """The run under a row lock until the transaction ends, with everything that was to happen by itself before `act.at` already done."""
    known = act.memory.get((Run, run))
    held: Run | None = known.run if known else next((read(Run, row) for row in rows(_LOCKED, [run])), None)
    if held is None:
        raise NO_RUN(run=str(run))
    if known is None:
        act.memory[Run, held.pk] = _Held(held, *log_of(held))
    if held.seen != seen_now() or (held.next_at and held.next_at <= act.at):
        settle(act=act, run=held)
    return held


def settle(*, act: Act, run: Run) -> bool:
    """Do what happens by itself until `act.at`, each at its very moment, whenever the platform comes to it: pauses end, moves go. Tells whether any did."""
    for done in range(MOST_AT_ONCE):
        state = state_held(run, act=act)
        going = next_move(state, calendar_in_force())
        if state.pause_ends_at and state.pause_ends_at <= act.at:
            append(act=_itself(act, state.pause_ends_at), run=run, what=e.Resumed(automatic=True))
        elif going and going.at <= act.at:
            itself = _itself(act, going.at)
            after = append(act=itself, run=run, what=moved(state, going.move, {}, automatic=True))
            carry_out(state.definition.moves[going.move], act=itself, run=run, state=after, answers={})
        else:
            return done > 0
    log.error("run %s: more than %s steps by themselves at once; the rest follows in a minute", run.pk, MOST_AT_ONCE)
    return True


def _itself(act: Act, at: datetime) -> Act:
    return replace(act, actor=system("deadlines"), at=at)


def begin(*, act: Act, procedure: Procedure, stage: str, subject_kind: str, subject_id: str) -> Run:
    """A run without events, to begin in `stage`; `append` its Started next, which writes it."""
    run = Run(
        procedure=procedure.id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        stage=stage,
        started_at=act.at,
        release=act.release,
    )
    act.memory[Run, run.pk] = _Held(run, [], set())
    return run


def append(*, act: Act, run: Run, what: e.What) -> State:
    """Add one event, leave evidence, project and tell; returns the state after it."""
    held: _Held = act.memory[Run, run.pk]
    last = held.events[-1].number if held.events else 0
    row = RunEvent(
        run=run,
        number=last + 1,
        kind=e.kind_of(what),
        at=act.at,
        actor=act.actor.ref,
        actor_name=act.actor.name,
        organization=act.actor.organization,
        release=act.release,
        data=e.to_json(what),
        on_behalf_of=act.actor.on_behalf_of or "",
    )
    add(row)
    held.events.append(event_of(row))
    held.state = None
    act.record(run.subject_kind, run.subject_id, {"run": str(run.pk), "event": last + 1, "kind": e.kind_of(what), **_facts(what)})
    return project(act=act, run=run)


def _facts(what: e.What) -> dict[str, Any]:
    """What evidence says of an event in the clear: declared words and organizations, never what a person wrote."""
    names = ("procedure", "move", "source", "to", "stage", "organization", "within", "part", "automatic")
    return {name: value for name in names if (value := getattr(what, name, None))}


def project(*, act: Act, run: Run) -> State:
    """Write the state that the log gives into the run's row, and tell its subject and open pages."""
    state = state_held(run, act=act)
    coming = ticks(state, calendar_in_force())
    given = given_held(run, act=act)
    run.stage, run.release, run.ended_at = state.stage, state.release, state.ended_at
    run.stage_due_at = state.stage_due.at if state.stage_due else None
    run.legal_due_at = state.legal_due.at if state.legal_due else None
    run.provisional, run.paused = state.provisional, state.paused_since is not None
    run.next_at = next((tick.at for tick in coming if tick.key not in given), None)
    run.seen = seen_now()
    if run._state.adding:
        add(run)
    else:
        change(run, *_PROJECTED)
    subject(run.subject_kind).changed(act=act, run=run, state=state)
    act.announce(run.subject_kind, {"run": str(run.pk), "subject": run.subject_id, "stage": run.stage})
    return state
