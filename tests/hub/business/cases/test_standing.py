"""Late and escalated cases: marked, filtered, and not hidden by a pause."""

from datetime import timedelta

from haitang.base import clock
from haitang.base.actions import acting
from haitang.hub.business.cases import actions, views
from haitang.hub.business.cases.filters import Filters
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import case_by_number, cases
from haitang.hub.business.procedures.deadlines import attend_due
from tests.hub.business.cases.test_api import client
from tests.hub.business.cases.test_loop import do, raised
from tests.hub.business.world import START, World


def test_an_escalated_case_is_marked_and_found(world: World) -> None:
    late = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    with clock.frozen(START + timedelta(hours=29)):
        attend_due()
        fresh = do(world.dispatcher, raised(key="k2"), "dispatch", organization="ecology")
        assert [case.number for case in cases(world.auditor, Filters(escalated=True)).cases] == [late.number]
        late = case_by_number(world.auditor, late.number)
        assert (views.row(late)["escalated"], views.row(fresh)["escalated"]) == (True, False)
        reader = client(world, "auditor")
        pages = [reader.get(path).content.decode() for path in ("/cases", f"/cases/{late.number}", f"/cases/{fresh.number}")]
        assert [page.count('status-critical">已督办<') for page in pages] == [1, 1, 0]
        assert fresh.number not in reader.get("/cases?escalated=1").content.decode()


def test_a_pause_hides_only_what_was_in_time_when_it_began(world: World) -> None:
    for key, hours in (("in_time", 1.0), ("late", 8.0)):
        case = do(world.dispatcher, raised(key=key), "dispatch", organization="ecology")
        with clock.frozen(START + timedelta(hours=hours)), acting(world.handler) as act:
            actions.pause_case(act=act, case=case, reason="waiting_for_test")
    with clock.frozen(START + timedelta(hours=9)):
        found = cases(world.auditor, Filters(overdue=True)).cases
        assert [case.pk for case in found] == [case.pk]
        assert [views.row(each)["overdue"] for each in Case.objects.order_by("number")] == [False, True]
