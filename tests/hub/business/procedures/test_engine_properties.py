"""Whatever people try, in whatever order: the engine's promises hold."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from haitang.base.durations import parse_limit
from haitang.hub.business.procedures import events as e
from haitang.hub.business.procedures.decide import Allowed
from haitang.hub.business.procedures.rehearsal import Rehearsal
from haitang.support.standards.clocks import deadline
from tests.hub.business.procedures.rehearsed import at, calendar, procedure, who

PEOPLE = [
    who("a", "dispatcher", "handler", "verifier", "head"),
    who("b", "handler", "verifier"),
    who("c", "verifier", "handler", organization="water"),
    who("d", "dispatcher", "head"),
]
people, minutes = st.sampled_from(PEOPLE), st.integers(0, 2000)


class Attempts(RuleBasedStateMachine):
    """People try everything; time only goes on."""

    @initialize(offset=st.integers(0, 300 * 1440))
    def begin(self, offset: int) -> None:
        self.now: datetime = at("2026-01-05 00:00") + timedelta(minutes=offset)
        self.run = Rehearsal(procedure(), calendar(), self.now)
        self.legal, self.ended = self.run.state.legal_due, None

    def later(self, by: int) -> datetime:
        self.now += timedelta(minutes=by)
        return self.now

    @rule(
        who=people,
        move=st.sampled_from(["dispatch", "handle", "accept", "return"]),
        organization=st.sampled_from(["ecology", "water"]),
        by=minutes,
    )
    def move(self, who, move: str, organization: str, by: int) -> None:  # type: ignore[no-untyped-def]
        before = self.run.reach(self.later(by))
        held = before.legal_due
        if isinstance(self.run.move(move, who, self.now, {"organization": organization}), Allowed):
            assert not before.ended_at
            assert move != "accept" or before.makers["handle"] != who.ref
            assert self.run.state.legal_due == held

    @rule(who=people, by=minutes)
    def pause(self, who, by: int) -> None:  # type: ignore[no-untyped-def]
        before = self.run.reach(self.later(by)).legal_due
        self.run.pause("waiting", who, self.now)
        assert self.run.state.legal_due == before

    @rule(who=people, by=minutes)
    def resume(self, who, by: int) -> None:  # type: ignore[no-untyped-def]
        self.run.resume(who, self.later(by))

    @rule(who=people, days=st.integers(1, 3), by=minutes)
    def ask(self, who, days: int, by: int) -> None:  # type: ignore[no-untyped-def]
        before = self.run.reach(self.later(by)).legal_due
        self.run.ask_extension(f"{days} working days", who, self.now)
        assert self.run.state.legal_due == before

    @rule(who=people, approved=st.booleans(), by=minutes)
    def answer(self, who, approved: bool, by: int) -> None:  # type: ignore[no-untyped-def]
        asked = self.run.reach(self.later(by)).extension_asked
        if isinstance(self.run.decide_extension(approved, who, self.now), Allowed):
            assert asked
            assert asked.by != who.ref

    @invariant()
    def the_log_alone_gives_the_same_state(self) -> None:
        kept = [e.from_json(e.to_json(event.what)) for event in self.run.events]
        assert kept == [event.what for event in self.run.events]
        assert self.run.replayed() == self.run.replayed()

    @invariant()
    def numbers_and_times_only_rise(self) -> None:
        events = self.run.events
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert all(a.at <= b.at for a, b in pairwise(events))

    @invariant()
    def the_legal_deadline_is_its_limit_with_pauses_and_approved_extensions_only(self) -> None:
        state = self.run.state
        assert state.legal_limit
        limit = parse_limit(state.legal_limit.within)
        assert state.legal_due == deadline(state.started_at, limit, calendar(), state.pauses, state.extensions)
        assert len(state.extensions) <= 1

    @invariant()
    def ended_is_final(self) -> None:
        self.ended = self.ended or self.run.state.ended_at
        assert self.run.state.ended_at == self.ended

    @precondition(lambda self: self.run.state.ended_at)
    @rule(who=people, move=st.sampled_from(["dispatch", "handle", "accept", "return"]))
    def nothing_moves_after_the_end(self, who, move: str) -> None:  # type: ignore[no-untyped-def]
        before = len(self.run.events)
        assert not isinstance(self.run.move(move, who, self.later(1)), Allowed)
        assert len(self.run.events) == before


Attempts.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestAttempts = Attempts.TestCase
