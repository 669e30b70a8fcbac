"""A run without a database: the same decisions and events as the actions, for spec tables, property tests and `haitang plan`.

run = Rehearsal(procedure, calendar, at=start)
run.move("dispatch", actor, at, {"organization": "ecology"})    # Allowed, or Refused with its reasons
run.state.stage_due
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from haitang.base.actions import Actor, system
from haitang.base.durations import parse_limit
from haitang.hub.business.procedures import decide as verdicts
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.automatic import MOST_AT_ONCE, next_move
from haitang.hub.business.procedures.decide import Allowed, Verdict
from haitang.hub.business.procedures.effects import assignment
from haitang.hub.business.procedures.engine import State, replay
from haitang.hub.business.procedures.events import Event
from haitang.hub.business.procedures.kinds import Procedure
from haitang.support.standards.calendar import WorkingCalendar
from haitang.support.standards.clocks import after

RELEASE = "rehearsal"


def moved(state: State, move: str, answers: Mapping[str, Any], automatic: bool = False) -> e.Moved:
    """The event of a move that was allowed, or that goes by itself."""
    declared = state.definition.moves[move]
    organization, person = assignment(declared, answers)
    return e.Moved(move, state.stage, declared.to, dict(answers), organization, person, automatic)


def made(state: State, move: str, answers: Mapping[str, Any], actor: Actor, fills: Collection[str] = ()) -> list[e.What]:
    """The events of a move that was allowed: where several must answer, the move itself is made with the answer of the last one."""
    declared = state.definition.moves[move]
    if not declared.each:
        return [moved(state, move, answers)]
    part = verdicts.open_part(state, move, actor, fills)
    assert part
    answer, missing = e.Answered(move, part, dict(answers)), set(declared.each) - {part, *state.answered.get(move, {})}
    return [answer] if missing else [answer, moved(state, move, {})]


def paused(state: State, reason: str, note: str, at: datetime, calendar: WorkingCalendar) -> e.Paused:
    """The event of a pause that was allowed; it ends at the latest when `at most` has run on its own clock."""
    most = parse_limit(state.definition.pauses[reason].at_most)
    return e.Paused(reason, after(at, most, calendar), note)


class Rehearsal:
    """One run in memory."""

    def __init__(
        self,
        procedure: Procedure,
        calendar: WorkingCalendar,
        at: datetime,
        organization: str | None = None,
        facts: Mapping[str, Any] | None = None,
        report: bool = False,
    ) -> None:
        self.procedure, self.calendar, self.events = procedure, calendar, list[Event]()
        stage = (procedure.reports_start if report else None) or procedure.start
        self._append(e.Started(procedure.id, stage, organization, dict(facts or {})), system("rehearsal"), at)
        self.reach(at)

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
        """The state at `at`: pauses that ran out before have ended at their own moment, and what goes by itself has gone."""
        for _ in range(MOST_AT_ONCE):
            state = self.state
            going = next_move(state, self.calendar)
            if state.pause_ends_at and state.pause_ends_at <= at:
                self._append(e.Resumed(automatic=True), system("deadlines"), state.pause_ends_at)
            elif going and going.at <= at:
                self._append(moved(state, going.move, {}, automatic=True), system("deadlines"), going.at)
            else:
                break
        return self.state

    def move(self, move: str, actor: Actor, at: datetime, answers: Mapping[str, Any] | None = None) -> Verdict:
        """An actor's organization fills the organization roles that are called like it."""
        state, given, fills = self.reach(at), dict(answers or {}), {actor.organization or ""}
        verdict = verdicts.decide(state, move, actor, at, answers=given, fills=fills)
        if isinstance(verdict, Allowed):
            for what in made(state, move, given, actor, fills):
                self._append(what, actor, at)
            self.reach(at)
        return verdict

    def learn(self, facts: Mapping[str, Any], at: datetime) -> None:
        """A word such as `case.cause_cleared` has another value from here on."""
        self.reach(at)
        self._append(e.Remarked("", facts=dict(facts)), system("rehearsal"), at)
        self.reach(at)

    def pause(self, reason: str, actor: Actor, at: datetime) -> Verdict:
        state = self.reach(at)
        verdict = verdicts.decide_pause(state, reason, actor, at)
        return self._append(paused(state, reason, "", at, self.calendar), actor, at) if isinstance(verdict, Allowed) else verdict

    def resume(self, actor: Actor, at: datetime) -> Verdict:
        verdict = verdicts.decide_resume(self.reach(at), actor, at)
        if isinstance(verdict, Allowed):
            self._append(e.Resumed(), actor, at)
            self.reach(at)
        return verdict

    def ask_extension(self, within: str, actor: Actor, at: datetime) -> Verdict:
        verdict = verdicts.decide_extension(self.reach(at), within, actor, at)
        return self._append(e.ExtensionAsked(within, ""), actor, at) if isinstance(verdict, Allowed) else verdict

    def decide_extension(self, approved: bool, actor: Actor, at: datetime) -> Verdict:
        verdict = verdicts.decide_approval(self.reach(at), actor, at)
        return self._append(e.ExtensionDecided(approved), actor, at) if isinstance(verdict, Allowed) else verdict
