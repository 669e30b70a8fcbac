"""The engine, pure: replays the log of a run into its state and deadlines.

    state = replay(definitions, events, calendar)

`definitions(release, procedure)` gives the procedure as it stood in a release. A run is governed by the release it started under, until a
`Migrated` event; so the same events give the same state whatever is in force today. Only the calendar is today's: when a year is published,
deadlines follow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from haitang.base.durations import Limit, parse_limit
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.events import Event
from haitang.hub.business.procedures.kinds import LegalLimit, Procedure
from haitang.support.standards import clocks
from haitang.support.standards.calendar import WorkingCalendar, local_day
from haitang.support.standards.clocks import Deadline

Definitions = Callable[[str, str], Procedure]


@dataclass(frozen=True)
class Asked:
    """An extension that waits for a decision."""

    by: str
    within: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class Made:
    """A move that was made; `assigned` when it named an organization; `on_behalf_of` where a duty was delegated."""

    move: str
    at: datetime
    by: str
    assigned: bool
    on_behalf_of: str = ""


@dataclass
class State:
    """Where a run stands. `assigned`: to which organization and person it was given last.

    `facts`: what conditions ask about, by word: those of the subject, and `answers.NAME`, the latest answer to each question.
    `answered`: move -> part -> who answered, of moves that wait for several. `started_in`: its first stage.
    """

    procedure: str
    release: str
    definition: Procedure
    stage: str
    started_at: datetime
    entered_at: datetime
    number: int
    at: datetime
    stage_due: Deadline | None = None
    legal_due: Deadline | None = None
    legal_limit: LegalLimit | None = None
    paused_since: datetime | None = None
    paused_for: str | None = None
    pause_ends_at: datetime | None = None
    made: list[Made] = field(default_factory=list)
    assigned: str | None = None
    assigned_person: str | None = None
    extensions: list[Limit] = field(default_factory=list)
    extension_asked: Asked | None = None
    ended_at: datetime | None = None
    pauses: list[clocks.Paused] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    answered: dict[str, dict[str, str]] = field(default_factory=dict)
    started_in: str = ""

    @property
    def reported(self) -> bool:
        """Whether it began as a report about which somebody decides first."""
        return self.started_in == self.definition.reports_start

    @property
    def taken_on_at(self) -> datetime | None:
        """When it was taken on (立案): at once, or for a report with the first move that does not end it; None while undecided or where it was not."""
        ends = {name for name, stage in self.definition.stages.items() if stage.end}
        going_on = (
            made.at for made in self.made if made.move not in self.definition.moves or self.definition.moves[made.move].to not in ends
        )
        return next(going_on, None) if self.reported else self.started_at

    @property
    def makers(self) -> dict[str, str]:
        """Who made each move last."""
        return {made.move: made.by for made in self.made}

    def made_for(self, move: str) -> frozenset[str]:
        """Whose doing the latest of this move was: who made it, and on whose behalf."""
        last = next((made for made in reversed(self.made) if made.move == move), None)
        return frozenset({last.by, last.on_behalf_of or last.by}) if last else frozenset()

    @property
    def provisional(self) -> bool:
        return any(due.provisional for due in (self.stage_due, self.legal_due) if due)

    @property
    def on_time(self) -> bool | None:
        """Whether it ended inside its legal deadline; None while it is open or where the law sets none."""
        return self.ended_at <= self.legal_due.at if self.ended_at and self.legal_due else None


def replay(definitions: Definitions, events: Iterable[Event], calendar: WorkingCalendar) -> State:
    """State and deadlines after `events` (in order, the first one a Started)."""
    log = iter(events)
    first = next(log)
    assert isinstance(first.what, e.Started)
    state = _started(first, first.what, definitions)
    for event in log:
        _apply(state, event, definitions)
        state.number, state.at = event.number, event.at
    _set_deadlines(state, calendar)
    return state


def legal_limit(procedure: Procedure, started_at: datetime) -> LegalLimit | None:
    """The legal limit in force on the day of the start: the latest one that was already valid."""
    valid = [limit for limit in procedure.limits if limit.from_ <= local_day(started_at)]
    return max(valid, key=lambda limit: limit.from_, default=None)


def _started(event: Event, what: e.Started, definitions: Definitions) -> State:
    definition = definitions(event.release, what.procedure)
    return State(
        procedure=what.procedure, release=event.release, definition=definition, stage=what.stage, started_at=event.at,
        entered_at=event.at, number=event.number, at=event.at, assigned=what.organization, facts=dict(what.facts),
        started_in=what.stage,
    )  # fmt: skip


def _apply(state: State, event: Event, definitions: Definitions) -> None:
    match event.what:
        case e.Moved() as what:
            _moved(state, event, what)
        case e.Answered() as what:
            state.answered.setdefault(what.move, {})[what.part] = event.actor
            state.facts |= answer_facts(what.answers)
        case e.Remarked() as what:
            state.facts |= what.facts
        case e.Paused() as what:
            state.paused_since, state.paused_for, state.pause_ends_at = event.at, what.reason, what.until
        case e.Resumed():
            _resumed(state, event.at)
        case e.ExtensionAsked() as what:
            state.extension_asked = Asked(event.actor, what.within, what.reason, event.at)
        case e.ExtensionDecided() as what:
            if what.approved and state.extension_asked:
                state.extensions.append(parse_limit(state.extension_asked.within))
            state.extension_asked = None
        case e.HandedOver() as what:
            state.assigned_person = what.person
        case e.Migrated() as what:
            state.release, state.definition = event.release, definitions(event.release, state.procedure)
            state.stage = what.stage
            if what.stage != what.source:
                state.answered = {}
            _note_end(state, event.at)


def _moved(state: State, event: Event, what: e.Moved) -> None:
    state.stage, state.entered_at = what.to, event.at
    state.made.append(Made(what.move, event.at, event.actor, what.organization is not None, event.on_behalf_of))
    state.answered = {}
    state.facts |= answer_facts(what.answers)
    if what.organization:
        state.assigned, state.assigned_person = what.organization, what.person
    _note_end(state, event.at)


def answer_facts(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers as the words that conditions ask about."""
    return {f"answers.{name}": value for name, value in answers.items()}


def _note_end(state: State, at: datetime) -> None:
    if state.definition.stages[state.stage].end:
        state.ended_at = at


def _resumed(state: State, at: datetime) -> None:
    if state.paused_since:
        state.pauses.append(clocks.Paused(state.paused_since, at))
    state.paused_since = state.paused_for = state.pause_ends_at = None


def _set_deadlines(state: State, calendar: WorkingCalendar) -> None:
    within = state.definition.stages[state.stage].within
    if within and not state.ended_at:
        state.stage_due = clocks.deadline(state.entered_at, parse_limit(within), calendar, state.pauses)
    state.legal_limit = legal_limit(state.definition, state.started_at)
    if state.legal_limit:
        limit = parse_limit(state.legal_limit.within)
        state.legal_due = clocks.deadline(state.started_at, limit, calendar, state.pauses, state.extensions)
