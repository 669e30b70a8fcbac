"""Keeps a case in step with its run: stage, deadlines, who has it, how it ended."""

from typing import Any
from uuid import UUID

from haitang.base.actions import Act
from haitang.base.sql import add, change
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.engine import State
from haitang.hub.business.procedures.models import Run
from haitang.hub.business.procedures.subjects import Described


def hold(act: Act, case: Case) -> Case:
    """Have what is done to the case's run in this transaction stand in this very object too, so that nobody need read it again. An unsaved case is written with it."""
    act.memory[Case, str(case.pk)] = case
    return case


def held(act: Act, id: str) -> Case:
    """The case of a run that this transaction works on."""
    known: Case | None = act.memory.get((Case, id))
    return known or Case.objects.select_related("organization", "handler").get(pk=id)


class CaseSubject:
    """Cases, as the procedure engine knows them."""

    def describe(self, id: str) -> Described:
        number, title = Case.objects.values_list("number", "title").get(pk=id)
        return Described(title, f"/cases/{number}", number)

    def changed(self, *, act: Act, run: Run, state: State) -> None:
        """Only what the run's log says; so a replayed log gives the same case."""
        case, mirrored = act.memory.get((Case, run.subject_id)), {"run_id": run.pk, **_mirrored(run, state)}
        if case is None:
            Case.objects.filter(pk=run.subject_id).update(**mirrored)
            return
        case.run = run
        for name, value in mirrored.items():
            setattr(case, name, value)
        if case._state.adding:
            add(case)
        else:
            change(case, *mirrored)


def _mirrored(run: Run, state: State) -> dict[str, Any]:
    """The moves `handle` and `return` are what GB/T 30428.4 counts as 处置 and 返工, in whatever procedure they stand."""
    dispatched = [made.at for made in state.made if made.assigned]
    handled = [made.at for made in state.made if made.move == "handle"]
    return {
        "stage": run.stage,
        "stage_due_at": run.stage_due_at,
        "due_at": run.legal_due_at,
        "provisional": run.provisional,
        "paused": run.paused,
        "organization_id": state.assigned,
        "handler_id": UUID(state.assigned_person) if state.assigned_person else None,
        "filed_at": state.taken_on_at,
        "closed_at": run.ended_at,
        "closed_on_time": state.on_time,
        "extended": len(state.extensions),
        "dispatched_at": dispatched[0] if dispatched else None,
        "handled_at": handled[-1] if handled else None,
        "returned": sum(made.move == "return" for made in state.made),
    }
