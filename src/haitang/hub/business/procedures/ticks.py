"""The moments at which a run needs attention by itself, pure: a pause that ends, a move that goes by itself, a reminder, an escalation."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from haitang.base.durations import parse_limit
from haitang.hub.business.procedures.automatic import next_move
from haitang.hub.business.procedures.engine import State
from haitang.support.standards import clocks
from haitang.support.standards.calendar import WorkingCalendar


@dataclass(frozen=True)
class Tick:
    """At `at`, `kind` happens; `resume` and `move` happen when the run is locked. `which` deadline, due at `due`; `index` is the escalation's place in the procedure."""

    at: datetime
    kind: Literal["resume", "move", "due_soon", "overdue"]
    which: Literal["stage", "legal", ""] = ""
    index: int = 0
    due: datetime | None = None

    @property
    def key(self) -> str:
        """One per run and deadline: when a deadline moves, its reminders are due anew."""
        return f"{self.kind}:{self.which}:{self.index}:{self.due.timestamp():.0f}" if self.due else f"{self.kind}:{self.at.timestamp():.0f}"


def ticks(state: State, calendar: WorkingCalendar) -> list[Tick]:
    """What is to come (or overdue to be done) for a run, in order. A paused run only waits for its pause to end."""
    if state.ended_at:
        return []
    if state.pause_ends_at:
        return [Tick(state.pause_ends_at, "resume")]
    found = [*_of(state, "stage", state.entered_at, calendar), *_of(state, "legal", state.started_at, calendar)]
    if going := next_move(state, calendar):
        found.append(Tick(going.at, "move"))
    return sorted(found, key=lambda tick: tick.at)


def _of(state: State, which: Literal["stage", "legal"], since: datetime, calendar: WorkingCalendar) -> list[Tick]:
    due = state.stage_due if which == "stage" else state.legal_due
    if due is None:
        return []
    found = []
    for index, escalation in enumerate(state.definition.escalations):
        if escalation.before:
            at = clocks.before(due.at, parse_limit(escalation.before), calendar)
            if at > since:  # a limit shorter than its reminder: being told at the start tells nothing
                found.append(Tick(at, "due_soon", which, index, due.at))
        if escalation.after:
            found.append(Tick(clocks.after(due.at, parse_limit(escalation.after), calendar), "overdue", which, index, due.at))
    return found
