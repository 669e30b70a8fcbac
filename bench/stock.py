"""The case type that `cases` works on, and as many cases of it as it asks for there already.

Shortcut: two cases are opened by the product's own actions (one resolved, one still being handled) and copied with set SQL: the case, its run and the run's log, row by row
as the product wrote them, with ids, numbers and times of their own. Their evidence and notices are not copied.
"""

from pathlib import Path
from typing import Any

from bench.instance import at_rest

_PROCEDURE = """title: 测量用处置
start: filed
stages:
  filed:      {title: 待派遣, within: 30 emergency minutes}
  dispatched: {title: 待处置, within: 4 working hours}
  resolved:   {title: 已处置, end: true}
moves:
  dispatch: {title: 派遣, from: filed, to: dispatched, by: dispatcher, asks: [organization], does: [assigns, notifies: handler]}
  handle:   {title: 处置完成, from: dispatched, to: resolved, by: handler, only: assigned, asks: [note]}
limits:
  - {from: 2020-01-01, within: 2 working days, basis: 测量用}
escalations:
  - {before: 1 working hour, tells: [dispatcher, handler]}
  - {after: 1 working hour, tells: [dispatcher]}
"""
_TYPE = "title: 测量用案件\ncode: '9901'\nprocedure: bench_handling\ngoes_to: bench_bureau\n"
OPEN_OF = 50  # one case in so many is still open


def declare(application: Path) -> None:
    for folder, name, text in (("procedures", "bench_handling.yaml", _PROCEDURE), ("cases", "bench_case.yaml", _TYPE)):
        (application / folder).mkdir(exist_ok=True)
        (application / folder / name).write_text(text, "utf-8")


def fill(count: int) -> None:
    """So many cases more than there are."""
    from django.db import connection

    if count <= 0:
        return
    resolved, running = one(True), one(False)
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")  # copies of sound rows: their references need no looking up, row by row
        for template, number, every in ((resolved, count - count // OPEN_OF, False), (running, count // OPEN_OF, True)):
            _copy(cursor, template, number, open=every)
        cursor.execute("reset session_replication_role")
        _settle(cursor)
    at_rest()


def _settle(cursor: Any) -> None:
    """Leave the tables as years would have.

    A million rows that came within a minute make PostgreSQL look through all of them for the first time (autovacuum, by the number of inserts) and write them out (checkpoint)
    within the next minutes, which are those that are measured: the same work took 6.5 ms of its processor time a case without, 8 to 10 with. Where cases come one by one, each
    round looks only at the pages that came since the one before, with a million cases there as with none.
    """
    cursor.execute("vacuum (analyze) cases_case, procedures_run, procedures_runevent")
    cursor.execute("checkpoint")


def one(resolved: bool) -> Any:
    """A case, by the product's own actions."""
    from haitang.base.actions import Actor, acting
    from haitang.hub.business.cases.actions import move_case, open_case

    dispatcher = Actor("staff", "bench", "测量（示例）", "bureau", frozenset({"dispatcher"}))
    handler = Actor("staff", "bench", "测量（示例）", "bureau", frozenset({"handler"}))
    with acting(dispatcher) as act:
        case = open_case(act=act, kind="bench_case", title="测量用案件", description="模拟数据")
    with acting(dispatcher) as act:
        move_case(act=act, case=case, move="dispatch", answers={"organization": "bureau"})
    if resolved:
        with acting(handler) as act:
            move_case(act=act, case=case, move="handle", answers={"note": "已处置（模拟）"})
    return case


def _copy(cursor: Any, template: Any, count: int, *, open: bool) -> None:
    """Resolved ones lie 20 s apart back from now; those that are open keep their times, so that none is overdue."""
    from haitang.hub.business.cases.models import Case
    from haitang.hub.business.procedures.models import Run, RunEvent

    cursor.execute("drop table if exists bench_stock")
    cursor.execute(
        f"create temp table bench_stock as select {_ID} as case_id, {_ID} as run_id, "
        f"interval '{0 if open else 20} seconds' * i as back, left(md5('{template.pk}'), 12) || '-' || i as number "
        f"from generate_series(1, {count}) r(i)"
    )
    _insert(cursor, Run, f"t.id = '{template.run_id}'", {"id": "s.run_id", "subject_id": "s.case_id::text"})
    _insert(cursor, RunEvent, f"t.run_id = '{template.run_id}'", {"id": None, "run_id": "s.run_id"})
    _insert(cursor, Case, f"t.id = '{template.pk}'", {"id": "s.case_id", "run_id": "s.run_id", "number": "s.number"})


# A UUID of version 7 of the moment of the row, as the product makes them: rows that are near in time are near in the indexes.
_ID = """(select (substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-7' || substr(gen_random_uuid()::text, 16)) from lpad(to_hex((extract(epoch from now() - interval '20 seconds' * i)
          * 1000)::bigint), 12, '0') h)::uuid"""


def _insert(cursor: Any, model: Any, which: str, own: dict[str, str | None]) -> None:
    columns, values = [], []
    for field in model._meta.concrete_fields:
        value = own.get(field.column, f"t.{field.column} - s.back" if "Date" in type(field).__name__ else f"t.{field.column}")
        if value is not None:
            columns.append(f'"{field.column}"')
            values.append(value)
    table = model._meta.db_table
    cursor.execute(f"insert into {table} ({', '.join(columns)}) select {', '.join(values)} from {table} t, bench_stock s where {which}")
