"""Quarantined rows of a run as a file, and the corrected file coming back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting, require
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.views import page
from haitang.base.text import sentence_of, translate
from haitang.hub.data.gather import actions, by_file, incoming, queries
from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.gather.shown import note_shown

OPEN = (Held.State.OPEN, Held.State.MENDED)
KINDS: dict[str, Any] = {
    "csv": (by_file.as_csv, "text/csv; charset=utf-8"),
    "xlsx": (by_file.as_excel, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


@require_GET
@page("gather.mend", own=True)
def rows_file(request: HttpRequest, run: str, kind: str) -> HttpResponse:
    """The rows that are still to be dealt with, to be corrected in a spreadsheet program."""
    actor = reader(request)
    found = queries.get(actor, run)
    require(actor, "gather.mend", found)
    rows = list(found.held.filter(state__in=OPEN)[: by_file.MOST])
    note_shown(actor, found, rows, way="/gather/runs/{run}/rows." + kind)
    make, type = KINDS[kind]
    name = f"quarantine-{str(found.pk)[-8:]}.{kind}"
    return HttpResponse(make(found, rows), content_type=type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@require_POST
@page("gather.mend", own=True)
def mend_file(request: HttpRequest, run: str) -> HttpResponse:
    """Take a corrected file."""
    found = queries.get(reader(request), run)
    require(reader(request), "gather.mend", found)
    try:
        _take(request, found)
    except HaitangError as refused:
        if refused.status == 403:
            raise
        messages.error(request, sentence_of(refused))
    return HttpResponseRedirect(f"/gather/runs/{found.pk}")


def _take(request: HttpRequest, found: Run) -> None:
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, translate("请选择改好的文件"))
        return
    kept = incoming.keep(file, file.name or "")
    try:
        rows = by_file.given(found, kept.path)
        with acting(reader(request)) as act:
            done = actions.mend_by_file(act=act, run=found, rows=rows, digest=kept.digest)
    finally:
        incoming.drop(kept)
    told = translate(
        "文件里 {passed} 行已提交，{refused} 行仍不合规，{settled} 行先前已办，{unknown} 行不属于本任务",
        passed=done.passed, refused=done.refused, settled=done.settled, unknown=done.unknown,
    )  # fmt: skip
    (messages.warning if done.refused or done.unknown else messages.success)(request, told)


urlpatterns = [
    path("gather/runs/<str:run>/rows.csv", rows_file, {"kind": "csv"}),
    path("gather/runs/<str:run>/rows.xlsx", rows_file, {"kind": "xlsx"}),
    path("gather/runs/<str:run>/mend-file", mend_file),
]
