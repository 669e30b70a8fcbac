"""Moves that go by themselves, pure: which one is next, and when. It follows from the log alone, so it does not matter when the platform looks."""

from dataclasses import dataclass
from datetime import datetime

from haitang.base.durations import parse_limit
from haitang.hub.business.procedures.condition import parse
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.kinds import Move
from haitang.support.standards import clocks
from haitang.support.standards.calendar import WorkingCalendar

MOST_AT_ONCE = 50


@dataclass(frozen=True)
class Next:
    """A move that goes by itself at `at`, unless something happens before."""

    move: str
    at: datetime


def next_move(state: State, calendar: WorkingCalendar) -> Next | None:
    """The first move of the stage that goes by itself as things stand; None while paused, after the end, or where none does."""
    if state.ended_at or state.paused_since:
        return None
    found = [
        Next(name, _moment(state, move, calendar))
        for name, move in state.definition.moves.items()
        if move.by_itself and state.stage in move.sources and _holds(state, move)
    ]
    return min(found, key=lambda each: each.at, default=None)


def _holds(state: State, move: Move) -> bool:
    return move.if_ is None or parse(move.if_).holds(state.facts)


def _moment(state: State, move: Move, calendar: WorkingCalendar) -> datetime:
    """Never before the last event: what happened since may be what made the condition true."""
    if move.after is None:
        return state.at
    return max(state.at, clocks.deadline(state.entered_at, parse_limit(move.after), calendar, state.pauses).at)
