"""Several processes at once: one case, one number, one maker of a move."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.base.ports import matters
from haitang.hub.business.cases import actions
from haitang.hub.business.cases.models import Case
from tests.hub.business.cases.test_loop import matter
from tests.hub.business.world import START, World

pytestmark = pytest.mark.django_db(transaction=True)


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run jobs in threads that begin at the same moment, at this thread's frozen time; an error of ours is a result."""
    start = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        try:
            start.wait(60)
            return job()
        except HaitangError as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(90) for future in [pool.submit(copy_context().run, run, job) for job in jobs]]


def raise_it(key: str = "same") -> str:
    with acting(system("rules"), at=START) as act:
        return matters().raise_matter(matter(key), act=act)


def test_one_matter_raised_by_many_is_one_case(world: World) -> None:
    assert len(set(together(*[raise_it] * 4))) == 1
    assert Case.objects.count() == 1


def test_numbers_have_neither_gap_nor_double(world: World) -> None:
    together(*[lambda n=n: raise_it(f"key-{n}") for n in range(5)])  # type: ignore[misc]
    assert sorted(Case.objects.values_list("number", flat=True)) == [f"990001-2026-{n:06d}" for n in range(1, 6)]


def test_a_move_is_made_once(world: World) -> None:
    case, dispatcher = Case.objects.get(pk=raise_it()), world.dispatcher

    def dispatch() -> str:
        with acting(dispatcher, at=START) as act:
            return actions.move_case(act=act, case=Case.objects.get(pk=case.pk), move="dispatch", answers={"organization": "ecology"}).stage

    assert sorted(together(dispatch, dispatch, dispatch)) == ["dispatched", "procedures.refused", "procedures.refused"]
    case.refresh_from_db()
    assert case.run
    assert case.run.events.count() == 2
