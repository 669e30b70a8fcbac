"""What a new release does to runs that are open: each keeps a stage, or the release is refused."""

from collections.abc import Iterable

from django.db.models import Count

from haitang.base.declarations.changes import on_change
from haitang.base.declarations.checks import Problem
from haitang.hub.business.procedures.kinds import Procedure
from haitang.hub.business.procedures.models import Run


@on_change(Procedure)
def open_runs_keep_a_stage(old: Procedure | None, new: Procedure | None) -> Iterable[Problem]:
    """A stage in which runs stand may go only when `stage_map` says what it becomes; every open run that is affected is told."""
    if old is None:
        return
    standing = dict(
        Run.objects.filter(procedure=old.id, ended_at__isnull=True).values_list("stage").annotate(Count("id")).order_by("stage")
    )
    for stage, count in standing.items():
        if new is None or (stage not in new.stages and stage not in new.stage_map):
            yield Problem(
                "stages",
                "流程“{procedure}”有 {count} 件在办，停在环节“{stage}”，新版本没有这个环节",
                "在 stage_map 中写明“{stage}”变成哪个环节，或待办结后再换版本",
                data={"procedure": old.title, "count": count, "stage": stage},
            )
    if new is not None and standing:
        told = {"procedure": new.title, "count": sum(standing.values())}
        yield Problem(
            "", "流程“{procedure}”有 {count} 件在办", "在办事项按原版本办完，环节有对应的转到新环节", severity="warning", data=told
        )
