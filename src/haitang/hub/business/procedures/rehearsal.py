"""A run without a database: the same decisions and events as the actions, for spec tables, property tests and `haitang plan`.

run = Rehearsal(procedure, calendar, at=start)
run.move("dispatch", actor, at, {"organization": "ecology"})    # Allowed, or Refused with its reasons
run.state.stage_due
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from haitang.base.actions import Actor, system
from haitang.base.durations import parse_limit
from haitang.hub.business.procedures import decide as verdicts
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.decide import Allowed, Verdict
from haitang.hub.business.procedures.effects import assignment
from haitang.hub.business.procedures.engine import State, replay
from haitang.hub.business.procedures.events import Event
from haitang.hub.business.procedures.kinds import Procedure
from haitang.support.standards.calendar import WorkingCalendar
from haitang.support.standards.clocks import after

RELEASE = "rehearsal"


def moved(state: State, move: str, answers: Mapping[str, Any]) -> e.Moved:
    """The event of a move that was allowed."""
    declared = state.definition.moves[move]
    organization, person = assignment(declared, answers)
    return e.Moved(move, state.stage, declared.to, dict(answers), organization, person)


def paused(state: State, reason: str, note: str, at: datetime, calendar: WorkingCalendar) -> e.Paused:
    """The event of a pause that was allowed; it ends at the latest when `at most` has run on its own clock."""
    most = parse_limit(state.definition.pauses[reason].at_most)
    return e.Paused(reason, after(at, most, calendar), note)


class Rehearsal:
    """One run in memory."""

    def __init__(self, procedure: Procedure, calendar: WorkingCalendar, at: datetime, organization: str | None = None) -> None:
        self.procedure, self.calendar, self.events = procedure, calendar, list[Event]()
        self._append(e.Started(procedure.id, procedure.start, organization), system("rehearsal"), at)

    def _append(self, what: e.What, actor: Actor, at: datetime) -> Verdict:
        number = len(self.events) + 1
        self.events.append(Event(number, at, actor.ref, actor.name, actor.organization, RELEASE, what))
        return Allowed()

    def replayed(self, calendar: WorkingCalendar | None = None) -> State:
        return replay(lambda release, name: self.procedure, self.events, calendar or self.calendar)

    @property
    def state(self) -> State:
        return self.replayed()

    def reach(self, at: datetime) -> State:
        """The state at `at`: a pause that ran out before has ended at its own moment."""
        ends = self.state.pause_ends_at
        if ends and ends <= at:
            self._append(e.Resumed(automatic=True), system("deadlines"), ends)
        return self.state

    def move(self, move: str, actor: Actor, at: datetime, answers: Mapping[str, Any] | None = None) -> Verdict:
        state = self.reach(at)
        verdict = verdicts.decide(state, move, actor, at)
        return self._append(moved(state, move, answers or {}), actor, at) if isinstance(verdict, Allowed) else verdict

    def pause(self, reason: str, actor: Actor, at: datetime) -> Verdict:
        state = self.reach(at)
        verdict = verdicts.decide_pause(state, reason, actor, at)
        return self._append(paused(state, reason, "", at, self.calendar), actor, at) if isinstance(verdict, Allowed) else verdict

    def resume(self, actor: Actor, at: datetime) -> Verdict:
        verdict = verdicts.decide_resume(self.reach(at), actor, at)
        return self._append(e.Resumed(), actor, at) if isinstance(verdict, Allowed) else verdict

    def ask_extension(self, within: str, actor: Actor, at: datetime) -> Verdict:
        verdict = verdicts.decide_extension(self.reach(at), within, actor, at)
        return self._append(e.ExtensionAsked(within, ""), actor, at) if isinstance(verdict, Allowed) else verdict

    def decide_extension(self, approved: bool, actor: Actor, at: datetime) -> Verdict:
        verdict = verdicts.decide_approval(self.reach(at), actor, at)
        return self._append(e.ExtensionDecided(approved), actor, at) if isinstance(verdict, Allowed) else verdict
