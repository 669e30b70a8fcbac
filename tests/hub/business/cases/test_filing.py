"""Where cases come from, and whether a report is filed."""

from datetime import date, timedelta

import pytest

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.hub.business.cases.actions import move_case, open_case, pause_case
from haitang.hub.business.cases.detail import context_of
from haitang.hub.business.cases.drill import bounds, narrow_to, read, written
from haitang.hub.business.cases.filters import Filters
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import cases, timeline
from haitang.hub.business.cases.statistics import FIGURES, statistics
from haitang.hub.business.notifications.models import Notice
from tests.hub.business.cases.test_loop import do, handled, raised
from tests.hub.business.world import START, World


def reported(world: World, source: str = "hotline") -> Case:
    with acting(world.officer) as act:
        return open_case(act=act, kind="dust", title="市民来电反映扬尘", source=source)


def test_a_report_waits_for_filing_and_then_goes_the_usual_way(world: World) -> None:
    case = reported(world)
    assert (case.stage, case.source, case.filed_at) == ("accepted", "hotline", None)
    assert Notice.objects.filter(person=world.people["dispatcher"], title__startswith="新上报待立案").exists()
    with pytest.raises(HaitangError, match="待立案"), acting(world.dispatcher) as act:
        move_case(act=act, case=case, move="dispatch", answers={"organization": "ecology"})
    case = do(world.dispatcher, case, "file", 5)
    assert (case.stage, case.filed_at) == ("filed", START + timedelta(minutes=5))
    assert do(world.dispatcher, case, "dispatch", 6, organization="ecology").stage == "dispatched"
    assert [entry.title for entry in timeline(case)][:2] == ["受理", "立案"]


def test_a_report_that_is_not_filed_ends_with_its_reason(world: World) -> None:
    case = do(world.dispatcher, reported(world), "dismiss", 5, reason="不属于本区")
    assert (case.stage, case.filed_at, case.closed_at) == ("dismissed", None, START + timedelta(minutes=5))
    assert context_of(case, world.auditor)["stages"] == [("待立案", "done"), ("不予立案", "now")]


def test_only_the_dispatcher_decides(world: World) -> None:
    with pytest.raises(HaitangError), acting(world.officer) as act:
        move_case(act=act, case=reported(world), move="file")


def test_what_an_alarm_or_the_centre_found_is_filed_at_once(world: World) -> None:
    with acting(world.officer) as act:
        found = open_case(act=act, kind="dust", title="巡屏发现")
    assert [(case.source, case.stage, case.filed_at) for case in (raised(), found)] == [
        ("platform", "filed", START), ("centre", "filed", START),
    ]  # fmt: skip
    assert context_of(found, world.auditor)["stages"][0] == ("待派遣", "now")


def test_an_unknown_source_is_refused_with_those_there_are(world: World) -> None:
    with pytest.raises(HaitangError, match="hotline"):
        reported(world, "rumour")


def test_the_filing_rate_is_what_was_filed_of_what_was_accepted(world: World) -> None:
    do(world.dispatcher, reported(world), "dismiss", reason="重复")
    do(world.dispatcher, reported(world), "file")
    reported(world, "public")
    raised()
    (all_,) = statistics(Case.objects.all(), since=START, until=START + timedelta(days=1))
    assert (all_.accepted, all_.opened, all_.dismissed, all_.closed, all_.filing_rate) == (4, 2, 1, 0, 50)
    by = {f.group: f.filing_rate for f in statistics(Case.objects.all(), since=START, until=START + timedelta(days=1), by="source")}
    assert by == {"hotline": 50, "public": 0, "platform": 100}


def test_every_figure_is_the_length_of_the_list_behind_it(world: World) -> None:
    do(world.verifier, handled(world), "accept", 60)
    late = do(world.dispatcher, raised(key="k2"), "dispatch", organization="ecology")
    do(world.dispatcher, reported(world), "dismiss", reason="重复")
    with clock.frozen(START + timedelta(days=5)):
        do(world.handler, late, "send_back", reason="不属本局")
        first, last = date(2026, 11, 1), date(2026, 11, 30)
        since, until = bounds(first, last)
        (all_,) = statistics(Case.objects.all(), since=since, until=until)
        behind = {name: narrow_to(Case.objects.all(), written(name, first, last)).count() for name in FIGURES}
    assert behind == {name: getattr(all_, name) for name in FIGURES}
    assert (behind["accepted"], behind["opened"], behind["overdue"]) == (3, 2, 1)


def test_a_paused_case_that_was_late_is_overdue_in_the_figures_too(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    with clock.frozen(START + timedelta(hours=8)):  # the stage's limit has passed, the law's has not
        with acting(world.handler) as act:
            pause_case(act=act, case=case, reason="waiting_for_test")
        (all_,) = statistics(Case.objects.all(), since=START, until=START + timedelta(days=1))
        assert all_.overdue == cases(world.auditor, Filters(overdue=True)).total == 1


@pytest.mark.parametrize("value", ["", "closed", "closed~2026-11-01", "colour~2026-11-01~2026-11-02", "closed~2026-11-31~2026-12-01"])
def test_what_is_not_a_figure_narrows_nothing(value: str) -> None:
    assert read(value) is None
    assert narrow_to([1], value) == [1]
