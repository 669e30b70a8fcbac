"""Moves with a condition, moves that go by themselves, moves that several must answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.declarations import Declarations
from haitang.base.declarations.checks import Context
from haitang.hub.business.cases.kinds import CaseType as CaseType  # registers case.severity and the rest
from haitang.hub.business.forms.kinds import Form
from haitang.hub.business.procedures import guards
from haitang.hub.business.procedures.decide import Allowed, Refused, decide
from haitang.hub.business.procedures.events import from_json, to_json
from haitang.hub.business.procedures.rehearsal import Rehearsal
from haitang.hub.business.procedures.ticks import ticks
from haitang.support.security.people.kinds import Role
from tests.hub.business.procedures.rehearsed import at, calendar, procedure, who

STAGES = {
    "asked": {"title": "待答复"},
    "agreed": {"title": "已同意"},
    "done": {"title": "已办结", "end": True},
    "refused": {"title": "不同意", "end": True},
}
MOVES: dict[str, Any] = {
    "agree": {"title": "同意", "from": "asked", "to": "agreed", "by": "officer", "each": ["ecology", "water"], "after": "3 working days"},
    "object": {
        "title": "不同意",
        "from": "asked",
        "to": "refused",
        "by": "officer",
        "if": "case.severity != 'critical'",
        "otherwise": "特别严重的不能退",
    },
    "finish": {"title": "办结", "from": "agreed", "to": "done", "if": "case.cause_cleared"},
}
ECOLOGY, SECOND, WATER = who("a", "officer"), who("b", "officer"), who("c", "officer", organization="water")
START = "2026-11-23 09:00"
PLAIN = {"stages": STAGES, "limits": [], "pauses": {"waiting": {"title": "等待", "by": "officer", "at most": "1 working day"}}, "extension": None,
         "escalations": [], "start": "asked"}  # fmt: skip


def run(moves: dict[str, Any] | None = None, start: str = START, **facts: Any) -> Rehearsal:
    declared = procedure(**PLAIN, moves=moves or MOVES)
    return Rehearsal(declared, calendar(), at(start), facts={"case.severity": "warning", "case.cause_cleared": False, **facts})


def codes(verdict: object) -> set[str]:
    return verdict.codes if isinstance(verdict, Refused) else set()


def test_it_moves_on_when_all_have_answered() -> None:
    found = run()
    assert found.move("agree", ECOLOGY, at("2026-11-23 10:00"), {"note": "可以"}) == Allowed()
    assert (found.state.stage, found.state.answered) == ("asked", {"agree": {"ecology": "staff:a"}})
    assert codes(found.move("agree", ECOLOGY, at("2026-11-23 10:01"))) == {"answered"}
    assert codes(found.move("agree", SECOND, at("2026-11-23 10:02"))) == {"answered"}
    assert codes(found.move("agree", who("d", "officer", organization="centre"), at("2026-11-23 10:03"))) == {"not_asked"}
    found.move("agree", WATER, at("2026-11-23 11:00"))
    assert (found.state.stage, found.state.answered, [event.kind for event in found.events]) == (
        "agreed", {}, ["started", "answered", "answered", "moved"],
    )  # fmt: skip


def test_who_answers_for_two_sides_answers_for_one() -> None:
    moves = {**MOVES, "agree": {"title": "同意", "from": "asked", "to": "agreed", "each": ["legal", "finance"]}}
    found, both = run(moves), who("x", "legal", "finance")
    assert found.move("agree", both, at("2026-11-23 10:00")) == Allowed()
    assert codes(found.move("agree", both, at("2026-11-23 10:01"))) == {"answered"}
    assert found.move("agree", who("y", "finance"), at("2026-11-23 10:02")) == Allowed()
    assert found.state.stage == "agreed"


def test_an_objection_ends_it_whoever_has_answered() -> None:
    found = run()
    found.move("agree", ECOLOGY, at("2026-11-23 10:00"))
    assert found.move("object", WATER, at("2026-11-23 10:01")) == Allowed()
    assert found.state.ended_at


def test_silence_for_three_working_days_lets_it_go_on() -> None:
    found = run()
    found.move("agree", ECOLOGY, at("2026-11-23 10:00"))
    due = at("2026-11-26 18:00")
    assert [(tick.at, tick.kind) for tick in ticks(found.state, calendar())] == [(due, "move")]
    assert found.reach(due - timedelta(seconds=1)).stage == "asked"
    assert found.reach(at("2026-12-20 09:00")).stage == "agreed"
    last = found.events[-1]
    assert (last.at, last.actor, last.what.automatic) == (due, "system:deadlines", True)  # type: ignore[union-attr]


def test_a_pause_holds_it_up() -> None:
    found = run()
    found.pause("waiting", ECOLOGY, at("2026-11-24 09:00"))
    assert found.reach(at("2026-11-25 20:00")).stage == "asked"
    assert found.reach(at("2026-11-26 18:00")).stage == "asked"
    assert found.reach(at("2026-11-30 20:00")).stage == "agreed"


def test_a_condition_refuses_in_the_words_of_its_author() -> None:
    found = run(**{"case.severity": "critical"})
    verdict = found.move("object", ECOLOGY, at("2026-11-23 10:00"))
    assert isinstance(verdict, Refused)
    assert [str(reason) for reason in verdict.reasons] == ["特别严重的不能退"]


def test_it_goes_at_the_moment_its_condition_becomes_true() -> None:
    found = run()
    for actor in (ECOLOGY, WATER):
        found.move("agree", actor, at("2026-11-23 10:00"))
    assert found.reach(at("2026-11-24 10:00")).stage == "agreed"
    found.learn({"case.cause_cleared": True}, at("2026-11-24 11:00"))
    assert (found.state.stage, found.state.ended_at) == ("done", at("2026-11-24 11:00"))


def test_nobody_makes_what_goes_by_itself() -> None:
    found = run({**MOVES, "agree": {**MOVES["agree"], "each": []}})
    found.move("agree", ECOLOGY, at("2026-11-23 10:00"))
    assert codes(found.move("finish", ECOLOGY, at("2026-11-23 10:01"))) == {"by_itself", "condition"}


def test_a_condition_on_answers_is_judged_when_they_are_given() -> None:
    found = run({**MOVES, "object": {**MOVES["object"], "if": "answers.result == 'bad'"}})
    assert decide(found.state, "object", ECOLOGY, at("2026-11-23 10:00")) == Allowed()
    assert codes(found.move("object", ECOLOGY, at("2026-11-23 10:00"), {"result": "good"})) == {"condition"}
    assert found.move("object", ECOLOGY, at("2026-11-23 10:00"), {"result": "bad"}) == Allowed()


@given(
    st.lists(
        st.tuples(st.sampled_from(["agree", "object", "learn", "pause", "resume", "look"]), st.integers(0, 3), st.integers(0, 3000)),
        max_size=12,
    )
)
def test_when_the_platform_looks_does_not_matter(steps: list[tuple[str, int, int]]) -> None:
    """Whoever is watched each step, or only at the end: the same log."""
    watched, late = run(), run()
    now: datetime = at(START)
    for what, person, minutes in steps:
        now += timedelta(minutes=minutes)
        actor = (ECOLOGY, SECOND, WATER, who("z", "officer", organization="x"))[person]
        if what == "look":
            watched.reach(now)
            continue
        for each in (watched, late):
            if what == "learn":
                each.learn({"case.cause_cleared": person % 2 == 0}, now)
            elif what == "pause":
                each.pause("waiting", actor, now)
            elif what == "resume":
                each.resume(actor, now)
            else:
                each.move(what, actor, now)
    for each in (watched, late):
        each.reach(now + timedelta(days=30))
    assert watched.events == late.events
    assert [from_json(to_json(event.what)) for event in watched.events] == [event.what for event in watched.events]
    assert all(a.at <= b.at for a, b in zip(watched.events, watched.events[1:], strict=False))


FORM = Form.model_validate({"title": "办理", "questions": {"result": {"title": "结果", "type": "choice", "choices": {"good": "好"}}}})
DECLARED = Declarations(
    "d", {"form": {"moves": FORM}, "role": {name: Role.model_validate({"title": name}) for name in ("officer", "legal")}}
)


def problems(**moves: Any) -> set[tuple[str, str]]:
    declared, checks = procedure(**PLAIN, moves={**MOVES, "agree": {**MOVES["agree"], "each": []}, **moves}), (
        guards.conditions_ask_what_is_known, guards.what_goes_by_itself_can_go, guards.those_who_answer_exist,
    )  # fmt: skip
    return {(problem.key_path, problem.message) for check in checks for problem in check(declared, Context(DECLARED))}


def test_sound_moves_have_no_problem() -> None:
    assert problems() == set()


@pytest.mark.parametrize(
    ("move", "path"),
    [
        ({"if": "case.colour == 'red'", "by": "officer"}, "moves.x.if"),
        ({"if": "case.severity == 'high'", "by": "officer"}, "moves.x.if"),
        ({"if": "case.severity", "by": "officer"}, "moves.x.if"),
        ({"if": "case.cause_cleared == 'maybe'", "by": "officer"}, "moves.x.if"),
        ({"if": "answers.result == 'good'", "by": "officer"}, "moves.x.if"),  # nobody asks it
        ({"if": "answers.result == 'fine'", "by": "officer", "asks": ["result"]}, "moves.x.if"),
        ({}, "moves.x"),
        ({"after": "1 working day", "asks": ["result"]}, "moves.x"),
        ({"after": "1 working day", "by": "officer", "does": ["assigns"]}, "moves.x.does"),
        ({"each": ["officer", "officer"]}, "moves.x.each"),
        ({"each": ["ecology_bureau"]}, "moves.x.by"),
        ({"from": "agreed", "to": "agreed", "if": "not case.cause_cleared"}, "moves.x"),
    ],
)
def test_a_mistake_is_found_where_it_stands(move: dict[str, Any], path: str) -> None:
    assert path in {found for found, _ in problems(x={"title": "x", "from": "asked", "to": "refused", **move})}
