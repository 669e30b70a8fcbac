"""The page on which people who do not program tune what declarations allow: one proposes, another approves."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting
from haitang.base.declarations import actions
from haitang.base.declarations.models import Edit
from haitang.base.declarations.positions import read_yaml
from haitang.base.declarations.queries import TunableKey, decided_edits, pending_edits, tunable_keys
from haitang.base.declarations.release import today
from haitang.base.errors import error
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.text import T

NO_SUCH_EDIT = error("declarations.no_such_edit", 404, "没有这项调整。")
BAD_DATE = error("declarations.bad_date", 400, "生效日期“{value}”不是日期，请写成 2026-03-01。")
BAD_TEXT = error("declarations.bad_text", 400, "值“{value}”读不懂：{reason}")

SOURCES = {"application": T("应用"), "place": T("地方"), "edit": T("已批准的调整")}

entry("tuning", title="参数调整", url="/tuning", icon="adjustments", group="run", order=30, permission="declarations.propose")


def written(value: Any) -> str:
    """A value as the form shows it and reads it again (JSON is YAML)."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _value(text: str) -> Any:
    read = read_yaml(text, Path("form"))
    if read.problems:
        raise BAD_TEXT(value=text, reason=read.problems[0].sentence())
    return read.data


def _row(found: TunableKey) -> dict[str, Any]:
    return {"key": found, "value": written(found.value), "source": SOURCES[found.source]}


def _edit(edit: Edit) -> dict[str, Any]:
    return {"edit": edit, "old": written(edit.old), "new": written(edit.new)}


@require_GET
@page("declarations.propose")
def tuning(request: HttpRequest) -> HttpResponse:
    """What may be tuned and what holds, what waits for approval, what was decided."""
    return show(
        request,
        "declarations/tuning.html",
        {
            "rows": [_row(found) for found in tunable_keys()],
            "pending": [_edit(edit) for edit in pending_edits()],
            "decided": [_edit(edit) for edit in decided_edits()],
            "today": today(),
        },
    )


@require_POST
@page("declarations.propose")
def propose(request: HttpRequest) -> HttpResponse:
    """Propose one value."""
    given = {name: request.POST.get(name, "").strip() for name in ("kind", "id", "key", "value", "effective", "reason")}
    try:
        effective = date.fromisoformat(given["effective"])
    except ValueError:
        raise BAD_DATE(value=given["effective"]) from None
    with acting(reader(request)) as act:
        actions.propose_edit(
            act=act,
            kind=given["kind"],
            id=given["id"],
            key=given["key"],
            value=_value(given["value"]),
            effective=effective,
            reason=given["reason"],
        )
    return HttpResponseRedirect("/tuning")


@require_POST
@page()
def decide(request: HttpRequest, id: UUID) -> HttpResponse:
    """Approve, reject or withdraw: the button pressed says which."""
    edit = Edit.objects.filter(pk=id).first()
    if edit is None:
        raise NO_SUCH_EDIT()
    note = request.POST.get("note", "")
    with acting(reader(request)) as act:
        if request.POST.get("do") == "withdraw":
            actions.withdraw_edit(act=act, edit=edit, note=note)
        else:
            actions.decide_edit(act=act, edit=edit, approve=request.POST.get("do") == "approve", note=note)
    return HttpResponseRedirect("/tuning")


urlpatterns = [
    path("tuning", tuning),
    path("tuning/propose", propose),
    path("tuning/<uuid:id>", decide),
]
