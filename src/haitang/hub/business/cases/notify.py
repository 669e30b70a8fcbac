"""Who is told what about a case."""

from collections.abc import Mapping
from typing import Any

from haitang.base import ports
from haitang.base.actions import Act
from haitang.base.text import T
from haitang.hub.business.cases.mirror import held
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.effects import effect
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.log import state_held
from haitang.hub.business.procedures.models import Run
from haitang.support.security.people.queries import ids_of_holders

OPENED = T("新案件待派遣：{title}")
REPORTED = T("新上报待立案：{title}")
WAITS = T("案件待您办理：{title}")
ASKED = T("延期待审批：{title}")
APPROVED = T("延期已批准：{title}")
DECLINED = T("延期未批准：{title}")
TEXT = T("案件 {number}，现在是“{stage}”环节。")


def opened(*, act: Act, case: Case) -> None:
    """Those who may make a move from the first stage."""
    assert case.run
    state = state_held(case.run, act=act)
    roles = {role for move in state.definition.moves.values() if state.stage in move.sources for role in move.roles}
    _tell(act, case, state, ids_of_holders(sorted(roles), act=act), REPORTED if state.reported else OPENED)


def extension_asked(*, act: Act, case: Case) -> None:
    assert case.run
    state = state_held(case.run, act=act)
    approvers = state.definition.extension.approvers if state.definition.extension else []
    _tell(act, case, state, ids_of_holders(approvers, case.organization_id, act=act) or ids_of_holders(approvers, None, act=act), ASKED)


def extension_decided(*, act: Act, case: Case, approved: bool) -> None:
    assert case.run
    state = state_held(case.run, act=act)
    askers = state.definition.extension.roles if state.definition.extension else []
    _tell(act, case, state, ids_of_holders(askers, case.organization_id, act=act), APPROVED if approved else DECLINED)


@effect("notifies")
def notifies(*, act: Act, run: Run, state: State, argument: str, answers: Mapping[str, Any]) -> None:
    """`notifies: handler`: the person the case is assigned to, else that role in the organization that has it, else every holder.

    A role that acts for every organization is told everywhere.
    """
    if run.subject_kind != "case":
        return
    case = held(act, run.subject_id)
    near = [] if state.definition.acts_anywhere(argument) else ids_of_holders([argument], case.organization_id, act=act)
    named = str(case.handler_id) if case.handler_id else ""
    _tell(act, case, state, [named] if named in near else near or ids_of_holders([argument], act=act), WAITS)


def _tell(act: Act, case: Case, state: State, people: list[str], title: str) -> None:
    ports.notices().tell(
        act=act,
        people=people,
        title=title,
        text=TEXT,
        data={"title": case.title, "number": case.number, "stage": state.definition.stages[state.stage].title},
        link=f"/cases/{case.number}",
        subject=f"case:{case.pk}",
    )
