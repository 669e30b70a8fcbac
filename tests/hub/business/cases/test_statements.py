"""What is read and written by statements of our own is what the ORM reads."""

from typing import Any

from haitang.base.sql import add, columns, read, rows
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import case_to_work_on
from haitang.hub.business.notifications.models import Delivery, Notice
from haitang.hub.business.procedures.models import Run, RunEvent
from haitang.hub.business.procedures.queries import events_of, log_of
from tests.hub.business.cases.test_loop import do, raised
from tests.hub.business.world import World


def values(instance: Any) -> dict[str, Any]:
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}


def test_rows_are_read_as_the_orm_reads_them(world: World) -> None:
    case = do(world.dispatcher, raised(), "dispatch", organization="ecology")
    for model in (Case, Run, RunEvent, Notice, Delivery):
        found = [read(model, row) for row in rows(f"select {columns(model)} from {model._meta.db_table} order by 1")]
        assert found
        assert [values(each) for each in found] == [values(each) for each in model.objects.order_by(model._meta.concrete_fields[0].attname)]
    worked_on = case_to_work_on(world.dispatcher, case.number)
    assert (values(worked_on), worked_on.organization) == (values(Case.objects.get(pk=case.pk)), case.organization)
    assert case.run
    assert log_of(case.run) == (events_of(case.run), set())


def test_rows_that_postgresql_numbers_get_their_numbers(world: World) -> None:
    do(world.dispatcher, raised(), "dispatch", organization="ecology")
    notice = Notice.objects.first()
    assert notice
    made = [Delivery(notice=notice, channel=name, at=notice.created_at) for name in ("a", "b")]
    add(*made)
    assert [Delivery.objects.get(channel=each.channel).pk for each in made] == [each.pk for each in made]
