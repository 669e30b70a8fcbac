"""Lists, filters and evaluation figures."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.hub.business.cases.actions import attach as attach
from haitang.hub.business.cases.filters import Filters
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import cases
from haitang.hub.business.cases.statistics import statistics
from tests.hub.business.cases.test_loop import do, handled, raised
from tests.hub.business.world import START, World


def titles(world: World, who: str = "auditor", **filters: Any) -> list[str]:
    return sorted(case.number[-1] for case in cases(getattr(world, who), Filters(**filters)).cases)


@pytest.fixture
def three(world: World) -> World:
    """1 closed, 2 dispatched to ecology, 3 just filed."""
    do(world.verifier, handled(world), "accept", 60)
    do(world.dispatcher, raised(key="k2", thing="station-2"), "dispatch", organization="ecology")
    raised(key="k3", origin="replay")
    return world


FILTERED: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["1", "2", "3"]),
    ({"open": True}, ["2", "3"]),
    ({"open": False}, ["1"]),
    ({"stage": "filed"}, ["3"]),
    ({"kind": "dust", "severity": "serious"}, ["1", "2", "3"]),
    ({"severity": "notice"}, []),
    ({"organization": "water"}, []),
    ({"origin": "replay"}, ["3"]),
    ({"thing": "station-2"}, ["2"]),
    ({"text": "000002"}, ["2"]),
    ({"text": "扬尘"}, ["1", "2", "3"]),
    ({"text": "100%"}, []),
    ({"text": "\x00"}, ["1", "2", "3"]),
    ({"since": START + timedelta(minutes=1)}, []),
    ({"until": START + timedelta(minutes=1)}, ["1", "2", "3"]),
    ({"due_soon": True}, ["2", "3"]),
    ({"overdue": True}, []),
]


def test_filters(three: World) -> None:
    found = [(filters, titles(three, **filters)) for filters, _ in FILTERED]
    assert found == FILTERED


def test_what_is_late_is_overdue_and_no_longer_due_soon(three: World) -> None:
    with clock.frozen(START + timedelta(days=3)):
        assert (titles(three, overdue=True), titles(three, due_soon=True)) == (["2", "3"], [])


def test_mine_is_what_my_organization_has_or_what_i_was_given(three: World) -> None:
    other = three.person("second", "ecology", "handler")
    do(three.dispatcher, raised(key="k4"), "dispatch", organization="ecology", person=str(other.pk))
    assert titles(three, "handler", mine=True, open=True) == ["2", "3"]
    assert titles(three, "second", mine=True, open=True) == ["2", "3", "4"]


def test_a_list_shows_only_what_its_reader_may_read(three: World) -> None:
    assert titles(three, "stranger") == []
    assert titles(three, "handler") == ["1", "2", "3"]


def test_pages_divide_the_list_in_its_order(three: World) -> None:
    pages = [cases(three.auditor, sort="number", page=page, size=2) for page in (1, 2, 3)]
    assert [[case.number[-1] for case in page.cases] for page in pages] == [["1", "2"], ["3"], []]
    assert {page.total for page in pages} == {3}


def test_an_unknown_order_is_refused_with_those_there_are(three: World) -> None:
    with pytest.raises(HaitangError, match="-opened"):
        cases(three.auditor, sort="colour")


def test_a_list_costs_the_same_queries_however_long(three: World) -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            [(case.organization and case.organization.title, case.run and case.run.stage) for case in cases(three.auditor).cases]
        return len(captured)

    before = count()
    raised(key="k5")
    assert count() == before


def test_figures_of_a_period(three: World) -> None:
    with clock.frozen(START + timedelta(days=30)):
        (all_,) = statistics(Case.objects.all(), since=START - timedelta(days=1), until=START + timedelta(days=7))
    assert (all_.opened, all_.dispatched, all_.handled, all_.closed, all_.due, all_.overdue) == (3, 2, 1, 1, 3, 2)
    assert (all_.closing_rate, all_.on_time_rate, all_.rework_rate) == (100 / 3, 100 / 3, 0)
    assert all_.handling == timedelta(minutes=9)


def test_a_rate_without_a_denominator_is_unknown(world: World) -> None:
    (none,) = statistics(Case.objects.all(), since=START, until=START + timedelta(days=1))
    assert (none.opened, none.closing_rate, none.on_time_rate, none.handling) == (0, None, None, None)


def test_figures_by_group(three: World) -> None:
    found = statistics(Case.objects.all(), since=START, until=START + timedelta(days=7), by="origin")
    assert [(figures.group, figures.opened) for figures in found] == [("live", 2), ("replay", 1)]


def test_closed_late_is_not_on_time(world: World) -> None:
    case = handled(world)
    with clock.frozen(START + timedelta(days=5)):
        case = do(world.verifier, case, "accept")
    assert case.closed_on_time is False


def test_a_process_that_is_not_listed_reads_nothing(three: World) -> None:
    assert cases(system("nobody")).total == 0
    with acting(system("rules")) as act:
        assert cases(act.actor).total == 3
