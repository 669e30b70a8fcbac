"""What `haitang check` says of a procedure that cannot work, and spec tables."""

from typing import Any

import pytest

from haitang.base.declarations import Declarations
from haitang.base.declarations.checks import Context, checks_of
from haitang.base.declarations.spec import SpecTable, parse_table
from haitang.hub.business.forms.kinds import Form
from haitang.hub.business.procedures import checks as checks
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.tables import run_procedure
from haitang.support.standards.kinds import Calendar
from tests.hub.business.procedures.rehearsed import BODY, YEAR, procedure

FORM = Form.model_validate({"title": "办理", "questions": {"organization": {"title": "单位", "type": "organization"}}})
DECLARED = Declarations("d", {"form": {"moves": FORM}, "calendar": {"c": Calendar.model_validate({"title": "c", "years": {2026: YEAR}})}})


def problems(declared: Procedure) -> list[tuple[str, str]]:
    return [(p.key_path, check.code.split(".")[1]) for check in checks_of(Procedure) for p in check.function(declared, Context(DECLARED))]


def changed(key: str, **changes: Any) -> dict[str, Any]:
    return {key: {name: {**BODY[key].get(name, {}), **change} for name, change in {**{n: {} for n in BODY[key]}, **changes}.items()}}


def test_a_sound_procedure_has_no_problem() -> None:
    assert problems(procedure()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"start": "nowhere"}, ("start", "stages_exist")),
        (changed("moves", accept={"to": "nowhere"}), ("moves.accept.to", "stages_exist")),
        ({"stage_map": {"old": "nowhere"}}, ("stage_map.old", "stages_exist")),
        (changed("stages", island={"title": "孤岛"}), ("stages.island", "stages_reachable")),
        (changed("stages", closed={"end": False}), ("stages.closed", "stages_reachable")),
        (changed("moves", **{"return": {"from": ["handled", "closed"]}}), ("moves.return.from", "ends_stay_ended")),
        (changed("stages", closed={"within": "1 working day"}), ("stages.closed.within", "ends_stay_ended")),
        (changed("moves", accept={"not_by": "handel"}), ("moves.accept.not_by", "separation_names_moves")),
        (changed("moves", handle={"asks": ["colour"]}), ("moves.handle.asks.0", "questions_exist")),
        (changed("moves", handle={"does": ["flies"]}), ("moves.handle.does.0", "effects_exist")),
        (changed("moves", handle={"does": ["assigns"]}), ("moves.handle.does", "effects_exist")),
        (changed("moves", handle={"does": [{"notifies": "nobody"}]}), ("moves.handle.does", "effects_exist")),
        ({"escalations": [{"tells": ["handler"]}]}, ("escalations.0", "escalations_speak")),
        ({"limits": [BODY["limits"][0], BODY["limits"][0]]}, ("limits.1.from", "limits_are_dated_apart")),
        ({"limits": []}, ("extension", "limits_are_dated_apart")),
    ],
)
def test_a_mistake_is_found_where_it_stands(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in problems(procedure(**changes))


GIVEN = """
at                move      by
2026-11-23 09:10  dispatch  li/dispatcher
2026-11-23 10:00  handle    wang/handler
2026-11-23 10:05  accept    wang/verifier
2026-11-23 10:06  accept    zhao/verifier
"""
EXPECT = """
at                stage       due               legal             refused
2026-11-23 09:00  filed       2026-11-23 09:30  2026-11-25 18:00  -
2026-11-23 09:10  dispatched  2026-11-23 15:10  2026-11-25 18:00  -
2026-11-23 10:05  handled     -                 2026-11-25 18:00  own_work
2026-11-23 10:06  closed      -                 2026-11-25 18:00  -
"""


def table(expect: str) -> SpecTable:
    given, options = parse_table(GIVEN), {"started": "2026-11-23 09:00"}
    return SpecTable("procedure", "trial", given, parse_table(expect), options, DECLARED, "trial", __file__)  # type: ignore[arg-type]


def test_a_spec_table_that_holds() -> None:
    assert run_procedure(procedure(), table(EXPECT)) == []


def test_a_spec_table_that_does_not_hold_says_what_was_found() -> None:
    failures = run_procedure(procedure(), table(EXPECT.replace("15:10", "13:10").replace("own_work", "paused")))
    assert [(failure.row, failure.message) for failure in failures] == [
        (1, "环节期限应为 2026-11-23 13:10，实为 2026-11-23 15:10"),
        (2, "拒绝理由应为 paused，实为 own_work"),
    ]
