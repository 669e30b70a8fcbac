"""Serves the port `duties`: open cases that were given to one person."""

from uuid import UUID

from haitang.base.actions import Act
from haitang.hub.business.cases.models import Case
from haitang.hub.business.procedures.actions import hand_over


class CaseDuties:
    """A case is somebody's own where its dispatch named a person; what was given to an organization stays there."""

    def open_of(self, person: str) -> int:
        return Case.objects.filter(handler_id=UUID(person), closed_at=None).count()

    def hand_over(self, *, act: Act, giver: str, taker: str) -> int:
        waiting = list(Case.objects.filter(handler_id=UUID(giver), closed_at=None).order_by("number").values_list("pk", "run_id"))
        for case, run in waiting:
            assert run is not None
            hand_over(act=act, run=run, taker=taker)
            act.announce("case", {"subject": str(case), "handler": taker})
        return len(waiting)
