"""Moves that go by themselves or wait for several, with real cases."""

from datetime import timedelta

import pytest

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.base.ports import Matter, matters
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import moves_for, timeline
from haitang.hub.business.procedures.deadlines import attend_due
from haitang.hub.business.procedures.models import Run
from haitang.hub.business.procedures.queries import state_of
from haitang.support.security.evidence.models import EvidenceRecord
from tests.hub.business.world import START, World, declare

ODD = """
title: 会签
start: asked
stages: {asked: {title: 待会签}, agreed: {title: 已会签}, done: {title: 办结, end: true}}
moves:
  agree:  {title: 会签, from: asked, to: agreed, by: handler, each: [ecology_bureau, water_bureau], asks: [note], after: 2 working days, does: [notifies: verifier]}
  drop:   {title: 不办, from: asked, to: done, by: handler, if: case.severity == 'notice', otherwise: 只有提示级别的可以不办}
  finish: {title: 起因解除即办结, from: agreed, to: done, if: case.cause_cleared}
"""


@pytest.fixture
def case(world: World) -> Case:
    declare(
        application={"procedures/odd.yaml": ODD, "cases/odd.yaml": "title: 其他\ncode: '9999'\nprocedure: odd\ngoes_to: ecology_bureau\n"}
    )
    with acting(system("rules")) as act:
        matter = Matter(key="odd:1", case_kind="odd", title="其他", severity="serious", arose_at=START)
        return Case.objects.get(pk=matters().raise_matter(matter, act=act))


def answer(world: World, name: str, case: Case, move: str = "agree", **answers: str) -> Case:
    with acting(getattr(world, name)) as act:
        return actions.move_case(act=act, case=case, move=move, answers=answers)


def test_both_departments_answer_and_the_alarm_that_clears_ends_it(world: World, case: Case) -> None:
    assert answer(world, "handler", case, note="同意").stage == "asked"
    with clock.frozen(START + timedelta(days=2, hours=9)):
        assert attend_due() == 1
    case.refresh_from_db()
    assert case.stage == "agreed"
    with clock.frozen(START + timedelta(days=3)), acting(system("rules")) as act:
        matters().note_cleared("odd:1", at=START + timedelta(days=3), act=act)
    case.refresh_from_db()
    assert (case.stage, case.closed_at) == ("done", START + timedelta(days=3))
    assert [entry.title for entry in timeline(case)] == ["立案", "答复：会签", "会签", "起因解除", "起因解除即办结"]
    assert EvidenceRecord.objects.filter(subject_id=str(case.pk), facts__automatic=True).count() == 2


def test_a_guard_refuses_in_words_before_and_when_tried(world: World, case: Case) -> None:
    assert {found.name: found.refused for found in moves_for(case, world.handler)} == {"agree": [], "drop": ["只有提示级别的可以不办"]}
    with pytest.raises(HaitangError, match="只有提示级别的可以不办"):
        answer(world, "handler", case, "drop")


def test_the_log_gives_the_state_with_its_answers(world: World, case: Case) -> None:
    answer(world, "handler", case, note="同意")
    state = state_of(Run.objects.get())
    assert list(state.answered["agree"]) == ["ecology_bureau"]
    assert (state.facts["answers.note"], state.facts["case.severity"]) == ("同意", "serious")
