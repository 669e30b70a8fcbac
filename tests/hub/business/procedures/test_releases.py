"""Open cases across real releases: a calendar that is published, a procedure that changes."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from haitang.base import clock
from haitang.base.actions import Act, acting, system
from haitang.base.clock import CHINA
from haitang.base.declarations import put_in_force
from haitang.base.declarations.actions import admit_release
from haitang.base.declarations.owners import Owner, rooms
from haitang.base.declarations.release import load_in_force
from haitang.base.errors import HaitangError
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import timeline
from haitang.hub.business.procedures.deadlines import refresh_stale
from haitang.hub.business.procedures.models import Run
from haitang.hub.business.procedures.queries import state_of
from haitang.support.security.evidence.models import EvidenceRecord
from tests.hub.business.world import APPLICATION, PLACE, World

ODD = """
title: 试验流程
start: open
stages: {open: {title: 开始, within: 4 working hours}, checked: {title: 核对, within: 4 working hours}, done: {title: 结束, end: true}}
moves:
  check:  {title: 核对, from: open, to: checked, by: handler}
  finish: {title: 办结, from: checked, to: done, by: handler, not_by: check}
limits: [{from: 2020-01-01, within: 5 working days, basis: 示例}]
pauses: {waiting: {title: 等待, by: handler, at most: 2 working days}}
"""
NEXT = (
    ODD.replace("checked: {title: 核对, within: 4", "reviewed: {title: 复核, within: 8")
    .replace("to: checked", "to: reviewed")
    .replace("from: checked", "from: reviewed")
)
MAPPED = NEXT + "stage_map: {checked: reviewed}\n"
KIND = "title: 其他\ncode: '9999'\nprocedure: odd\ngoes_to: ecology_bureau\n"
YEAR_END = datetime(2026, 12, 30, 10, tzinfo=CHINA)  # a Wednesday
PUBLISHED = PLACE["calendar.yaml"] + "  2027: {holidays: ['2027-01-01..2027-01-03'], workdays: [], source: 试验, published: 2026-12-31}\n"


def release(procedure: str = ODD, calendar: str = PLACE["calendar.yaml"]) -> str:
    """Admit what the folders say, as `haitang apply` does, and have this process take it up; returns its digest."""
    application = {**APPLICATION, "procedures/odd.yaml": procedure, "cases/odd.yaml": KIND}
    place = {**PLACE, "calendar.yaml": calendar}
    owners = [*rooms(), Owner("trial", "application", Path("trial"), application), Owner("somewhere", "place", Path("somewhere"), place)]
    with acting(system("setup")) as act:
        admitted = admit_release(act=act, owners=owners)
    put_in_force(load_in_force())
    return str(admitted.release_id)


def opened() -> Case:
    with acting(system("rules")) as act:
        return actions.open_case(act=act, kind="odd", title="其他")


def by(world: World, name: str) -> AbstractContextManager[Act]:
    return acting(getattr(world, name))


def test_publishing_a_year_settles_what_was_provisional(world: World) -> None:
    with clock.frozen(YEAR_END):
        release()
        case = opened()
        assert (case.due_at, case.provisional) == (datetime(2027, 1, 6, 18, tzinfo=CHINA), True)
    with clock.frozen(YEAR_END + timedelta(days=1)):
        digest = release(calendar=PUBLISHED)
        assert (refresh_stale(), refresh_stale()) == (1, 0)
    case.refresh_from_db()
    assert (case.due_at, case.provisional) == (datetime(2027, 1, 7, 18, tzinfo=CHINA), False)
    told = timeline(case)[-1]
    assert (told.title, told.release, told.at) == ("期限重新计算", digest, YEAR_END + timedelta(days=1))
    assert told.text == "办结期限由 2027-01-06 18:00 改为 2027-01-07 18:00；工作日历已公布，期限不再是暂定"
    facts = EvidenceRecord.objects.get(subject_id=str(case.pk), action="procedure.refresh", facts__has_key="after").facts
    assert (facts["before"]["legal_due"][:10], facts["after"]["legal_due"][:10]) == ("2027-01-06", "2027-01-07")


def test_a_release_that_moves_no_deadline_says_nothing(world: World) -> None:
    release()
    case = opened()
    release(calendar=PUBLISHED)
    assert refresh_stale() == 1
    assert [entry.kind for entry in timeline(case)] == ["started"]


def test_a_release_may_not_take_the_stage_from_under_an_open_case(world: World) -> None:
    release()
    case = opened()
    with by(world, "handler") as act:
        actions.move_case(act=act, case=case, move="check")
    with pytest.raises(HaitangError, match="停在环节“checked”"):
        release(NEXT)


def test_an_open_case_finishes_under_its_own_definition(world: World) -> None:
    first = release()
    case = opened()
    release(NEXT)  # nobody stands at `checked`, so it may go
    refresh_stale()
    with by(world, "handler") as act:
        assert actions.move_case(act=act, case=case, move="check").stage == "checked"
    with by(world, "both") as act:
        assert actions.move_case(act=act, case=case, move="finish").stage == "done"
    assert Run.objects.get().release == first
    assert opened().run.release != first  # type: ignore[union-attr]


@pytest.mark.parametrize("paused", [False, True])
def test_a_case_goes_over_where_its_stage_is_mapped_and_keeps_who_did_what(world: World, paused: bool) -> None:
    release()
    case = opened()
    with by(world, "handler") as act:
        actions.move_case(act=act, case=case, move="check")
        if paused:
            actions.pause_case(act=act, case=case, reason="waiting")
    before = state_of(Run.objects.get())
    second = release(MAPPED)
    assert (refresh_stale(), refresh_stale()) == (1, 0)
    if paused:
        with by(world, "handler") as act:
            actions.resume_case(act=act, case=case)
    case.refresh_from_db()
    assert case.run
    assert (case.stage, case.run.release, case.stage_due_at) == (
        "reviewed",
        second,
        datetime(2026, 11, 24, 10, tzinfo=CHINA),
    )
    assert case.due_at == before.legal_due.at  # type: ignore[union-attr]
    with pytest.raises(HaitangError, match="应由他人办理"), by(world, "handler") as act:
        actions.move_case(act=act, case=case, move="finish")
    _replays_alike(case)


def _replays_alike(case: Case) -> None:
    """The log gives what the row says, under whatever release is in force today."""
    assert case.run
    release(ODD.replace("within: 4 working hours", "within: 2 working hours") + "stage_map: {reviewed: checked}\n")
    state, run = state_of(case.run), Run.objects.get(pk=case.run.pk)
    assert state.stage_due
    assert state.legal_due
    assert (state.stage, state.stage_due.at, state.legal_due.at, state.release) == (
        run.stage,
        run.stage_due_at,
        run.legal_due_at,
        run.release,
    )
