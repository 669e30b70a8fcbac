"""What the worker does by itself, on the real database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.models import Case
from haitang.hub.business.notifications.models import Notice
from haitang.hub.business.procedures.deadlines import attend_due, refresh_stale
from haitang.hub.business.procedures.models import Run, RunEvent
from haitang.hub.business.procedures.queries import state_of
from tests.hub.business.world import PLACE, START, World, declare


def opened() -> Case:
    with acting(system("rules")) as act:
        return actions.open_case(act=act, kind="dust", title="扬尘")


def dispatched(world: World) -> Case:
    case = opened()
    with acting(world.dispatcher) as act:
        return actions.move_case(act=act, case=case, move="dispatch", answers={"organization": "ecology"})


@contextmanager
def later(**span: float) -> Iterator[datetime]:
    with clock.frozen(clock.now() + timedelta(**span)):
        yield clock.now()


def told(urgency: str) -> list[str]:
    return sorted(Notice.objects.filter(urgency=urgency).values_list("person__username", flat=True))


def test_a_reminder_reaches_once_those_who_can_act(world: World) -> None:
    dispatched(world)  # due at 15:00
    with later(hours=4, minutes=59):
        assert attend_due() == 0
    with later(hours=5):
        assert (attend_due(), attend_due()) == (1, 0)
    assert told("due_soon") == ["both", "handler"]


def test_an_escalation_reaches_once_those_who_press_for_it(world: World) -> None:
    dispatched(world)
    with later(hours=8):
        assert (attend_due(), attend_due()) == (1, 0)
    assert told("overdue") == ["head", "officer"]
    assert told("due_soon") == []  # too late to remind


def test_a_moved_deadline_is_reminded_of_anew(world: World) -> None:
    case = dispatched(world)
    with later(hours=5):
        attend_due()
    with later(hours=5, minutes=10), acting(world.handler) as act:
        actions.pause_case(act=act, case=case, reason="waiting_for_test")
    with later(days=1), acting(world.handler) as act:
        actions.resume_case(act=act, case=case)
    with later(days=3):
        attend_due()
    assert len(told("overdue")) == 2


def test_a_pause_ends_by_itself(world: World) -> None:
    case = dispatched(world)
    with acting(world.handler) as act:
        actions.pause_case(act=act, case=case, reason="waiting_for_test")
    with later(days=10):
        attend_due()
    run = Run.objects.get()
    assert run.paused is False
    assert run.events.order_by("-number").values_list("kind", "at", "actor").first() == (
        "resumed",
        START.replace(day=30, hour=18),
        "system:deadlines",
    )


def test_nobody_is_reminded_while_the_clocks_stand(world: World) -> None:
    case = dispatched(world)
    with acting(world.handler) as act:
        actions.pause_case(act=act, case=case, reason="waiting_for_test")
    with later(days=2):
        assert attend_due() == 0


def test_publishing_holidays_recomputes_the_deadlines_of_open_cases(world: World) -> None:
    case = opened()
    assert case.due_at == datetime(2026, 11, 25, 18, tzinfo=clock.CHINA)
    place = {"calendar.yaml": PLACE["calendar.yaml"].replace("..2026-10-07'", "..2026-10-07', '2026-11-25'")}
    declare(place=place)
    assert (refresh_stale(), refresh_stale()) == (1, 0)
    case.refresh_from_db()
    assert case.due_at == datetime(2026, 11, 26, 18, tzinfo=clock.CHINA)


CHANGED = """
title: 试验流程
start: begun
stages: {begun: {title: 开始}, working: {title: 办理中}, done: {title: 结束, end: true}}
moves:
  work: {title: 办理, from: begun, to: working, by: handler}
  finish: {title: 办结, from: working, to: done, by: handler}
"""


@pytest.mark.parametrize(("stage_map", "stage"), [("", "open"), ("stage_map: {open: working}\n", "working")])
def test_a_release_takes_over_open_runs_only_where_it_maps_their_stage(world: World, stage_map: str, stage: str) -> None:
    first = "title: 试验流程\nstart: open\nstages: {open: {title: 开始}, done: {title: 结束, end: true}}\nmoves: {finish: {title: 办结, from: open, to: done, by: handler}}\n"
    kind = {"cases/odd.yaml": "title: 其他\ncode: '9999'\nprocedure: odd\ngoes_to: ecology_bureau\n"}
    declare(application={**kind, "procedures/odd.yaml": first})
    with acting(system("rules")) as act:
        case = actions.open_case(act=act, kind="odd", title="其他")
    release = declare(application={**kind, "procedures/odd.yaml": CHANGED + stage_map}).digest
    assert (refresh_stale(), refresh_stale()) == (1, 0)
    case.refresh_from_db()
    assert (case.stage, case.run and case.run.release == release) == (stage, stage == "working")


def test_the_projection_is_what_the_log_says(world: World) -> None:
    case = dispatched(world)
    assert case.run
    state = state_of(case.run)
    Run.objects.update(stage="lost", stage_due_at=None, legal_due_at=None, seen="")
    refresh_stale()
    run = Run.objects.get()
    assert state.stage_due
    assert state.legal_due
    assert (run.stage, run.stage_due_at, run.legal_due_at) == (state.stage, state.stage_due.at, state.legal_due.at)


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_log_cannot_be_changed(world: World, change: str) -> None:
    opened()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        RunEvent.objects.update(kind="x") if change == "update" else RunEvent.objects.all()._raw_delete("default")
    assert RunEvent.objects.get().kind == "started"


def test_one_run_that_fails_stops_no_other(world: World, caplog: pytest.LogCaptureFixture) -> None:
    opened()
    opened()
    Run.objects.filter(pk=Run.objects.order_by("pk").values_list("pk", flat=True)[0]).update(subject_kind="unknown")
    with later(days=1):
        assert attend_due() == 1
    assert "could not be attended to" in caplog.text


def test_the_worker_does_all_of_it_each_minute(world: World) -> None:
    from procrastinate.contrib.django import app

    task = app.tasks["procedures.attend"]
    dispatched(world)
    with later(hours=8):
        task.func(0)
    assert task.lock == "procedures.attend"
    assert told("overdue") == ["head", "officer"]


def test_a_deadline_nobody_is_there_for_is_not_tried_again_and_again(world: World) -> None:
    opened()
    for person in world.people.values():
        person.holdings.all().delete()
    with later(hours=8):
        assert (attend_due(), attend_due()) == (1, 0)
