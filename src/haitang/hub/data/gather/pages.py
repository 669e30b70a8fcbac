"""Pages of gathering: runs, one run with its quarantine, mending, uploading."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from haitang.base import ports
from haitang.base.actions import acting, may
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions, queries
from haitang.hub.data.gather.judge.reasons import said
from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.gather.resource_pages import resource, resources
from haitang.hub.data.gather.shown import note_shown
from haitang.hub.data.gather.trying import try_row
from haitang.hub.data.gather.uploading import gather_kept, upload
from haitang.hub.data.gather.wording import left_out, note
from haitang.support.security.people.models import Organization

MOST_AT_ONCE = 1000
COUNTS = ("read", "accepted", "quarantined", "inserted", "updated", "unchanged", "repeated", "removed")
SHOWN = 200  # quarantined rows on a page


entry("gather", title=T("数据采集"), url="/gather", icon="table-import", group="know", order=11, permission=queries.READ)


def _resource_title(run: Run) -> str:
    found = in_force().all(Resource).get(run.resource)
    return found.title if found else run.resource


def _file(run: Run) -> str:
    """The file that a run read, or what it did instead."""
    return translate("撤去暂定资源") if run.load == "discard" else translate("修改后重新提交") if run.root_id else run.file


def _state(run: Run) -> SafeString:
    """How far it is, and how many of its rows wait for somebody."""
    sort = {"done": "normal", "failed": "serious", "cancelled": "stale"}.get(run.state, "notice")
    told = format_html('<span class="status status-{}">{}</span>', sort, translate(run.get_state_display()))
    if not (run.ended and run.quarantined and not run.settled_at and not run.root_id):
        return told
    return format_html('{} <span class="status status-warning">{}</span>', told, translate("有隔离的行待处理"))


COLUMNS = [
    Column("created", T("时间"), lambda r: r.created_at, lambda r: when(r.created_at), sort="created_at"),
    Column(
        "resource",
        T("资源"),
        _resource_title,
        lambda r: format_html('<a href="/gather/runs/{}">{}</a>', r.pk, translate(_resource_title(r))),
        sort="resource",
        wide=True,
    ),
    Column("file", T("文件"), lambda r: r.file, _file),
    Column("state", T("状态"), lambda r: r.state, _state, sort="state"),
    Column("read", T("读取"), lambda r: r.read, lambda r: f"{r.read:,}", sort="read", numeric=True),
    Column("accepted", T("接收"), lambda r: r.accepted, lambda r: f"{r.accepted:,}", sort="accepted", numeric=True),
    Column("quarantined", T("隔离"), lambda r: r.quarantined, lambda r: f"{r.quarantined:,}", sort="quarantined", numeric=True),
]
FILTERS = [
    Filter(
        "resource",
        T("资源"),
        lambda rows, value: rows.filter(resource=value),
        choices=lambda: {id: r.title for id, r in in_force().all(Resource).items()},
    ),
    Filter(
        "state",
        T("状态"),
        lambda rows, value: rows.filter(state=value),
        choices=lambda: {str(key): str(title) for key, title in Run.State.choices},
    ),
    Filter("open", T("有待修正的行"), lambda rows, value: rows.filter(actions.unsettled()), kind="flag"),
]


@require_GET
@page(queries.READ, own=True)
def runs(request: HttpRequest) -> HttpResponse:
    """Runs, the newest first."""
    actor = reader(request)
    nothing = Empty(T("还没有采集过数据"), T("上传一个文件，或用 haitang gather 采集。"), "/gather/upload", T("上传文件"))
    table = Table(
        request, "gather_runs", rows=queries.visible(actor), columns=COLUMNS, filters=FILTERS, sort="-created", unfiltered=nothing
    )
    return table.response("gather/runs.html", {"may_start": may(actor, "gather.start", actor)})


def _row(held: Held, resource: Resource | None) -> dict[str, Any]:
    titles = {name: field.title for name, field in resource.fields.items()} if resource else {}
    reasons = [(translate(titles.get(r["field"], "")), said(r)) for r in held.reasons]
    return {
        "held": held,
        "reasons": reasons,
        "state": translate(held.get_state_display()),
        "open": held.state in (Held.State.OPEN, Held.State.MENDED),
    }


@require_GET
@page(queries.READ, own=True)
def run(request: HttpRequest, run: str) -> HttpResponse:
    """One run: its counts, what made the file's rows more, its quarantined rows with every reason."""
    actor = reader(request)
    found = queries.get(actor, run)
    resource = in_force().all(Resource).get(found.resource)
    state = request.GET.get("state", "")
    held = found.held.filter(state=state) if state in Held.State.values else found.held.all()
    asks_how_far = "HX-Request" in request.headers
    if asks_how_far and found.ended:
        return HttpResponse(headers={"HX-Refresh": "true"})
    rows = [] if asks_how_far else list(held[:SHOWN])
    note_shown(actor, found, rows, way="/gather/runs/{run}")
    context = {
        "run": found, "title": _resource_title(found), "file": _file(found), "state": _state(found), "left_out": left_out(found), "notes": [note(each) for each in found.notes],
        **{name: f"{getattr(found, name):,}" for name in COUNTS},
        "rows": [_row(row, resource) for row in rows], "total": held.count(), "mended": found.held.filter(state=Held.State.MENDED).count(),
        "open": found.held.filter(state__in=(Held.State.OPEN, Held.State.MENDED)).count(), "descendants": found.descendants.all(),
        "may": {word: may(actor, f"gather.{word}", found) for word in ("mend", "dismiss", "resubmit", "cancel")},
        "share": 100 * found.read_bytes // found.total_bytes if found.total_bytes else 0, "landed": _landed(found), "shown": SHOWN,
        "work_order": ports.matters().number_of(found.matter) if found.matter else "", "sender": Organization.objects.filter(pk=found.organization).first(),
    }  # fmt: skip
    return show(request, "gather/run.html", context)


def _landed(run: Run) -> int:
    """Percent of the accepted rows that are in the lake, while they are put there."""
    stored = run.inserted + run.updated + run.unchanged
    return 100 * stored // max(run.accepted - run.repeated, 1) if run.state == Run.State.LANDING else 0


@page("gather.mend", own=True)
def row(request: HttpRequest, row: int) -> HttpResponse:
    """Mend one quarantined row: the text that it had, its cells, the reasons beside them; what is sent is judged at once."""
    actor = reader(request)
    held = queries.row(actor, row)
    resource = in_force().get(Resource, held.run.resource)
    cells = _given(request, held) if request.method == "POST" else {**held.cells, **(held.mended or {})}
    reasons = held.reasons
    if request.method == "POST":
        reasons = try_row(resource, held.run.columns, cells)
        if not reasons:
            with acting(actor) as act:
                actions.mend(act=act, run=held.run, held=held, cells=cells)
                if "resubmit" in request.POST:
                    actions.resubmit(act=act, run=held.run)
            messages.success(request, translate("第 {line} 行已修改", line=held.line))
            return HttpResponseRedirect(f"/gather/runs/{held.run_id}")
    note_shown(actor, held.run, [held], way="/gather/rows/{row}")
    context = {"held": held, "title": resource.title, "cells": _asked(held, resource, cells, reasons), "whole": [said(r) for r in reasons if not r["field"]],
               "may": {word: may(actor, f"gather.{word}", held.run) for word in ("mend", "resubmit")}}  # fmt: skip
    return show(request, "gather/row.html", context, status=422 if request.method == "POST" else 200)


def headings_of(held: Held) -> list[tuple[str, str]]:
    """(heading, field) of every column that is understood, in the order of the resource's fields."""
    resource, columns = in_force().all(Resource).get(held.run.resource), held.run.columns
    order = [name for name in resource.fields if name in columns] if resource else list(columns)
    return [(each, name) for name in order for each in ([columns[name]] if isinstance(columns[name], str) else columns[name])]


def _given(request: HttpRequest, held: Held) -> dict[str, str]:
    return {heading: request.POST.get(f"cell-{n}", "") for n, (heading, _) in enumerate(headings_of(held))}


def _asked(held: Held, resource: Resource, cells: dict[str, str], reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"cell-{n}", "heading": heading, "value": cells.get(heading) or "", "was": held.cells.get(heading) or "",
            "problems": [said(r) for r in reasons if r["field"] == name], "required": name in resource.key or resource.fields[name].required,
        }
        for n, (heading, name) in enumerate(headings_of(held)) if name in resource.fields
    ]  # fmt: skip


@require_POST
@page("gather.dismiss", own=True)
def dismiss(request: HttpRequest, run: str) -> HttpResponse:
    """Dismiss the rows that are ticked, with a reason."""
    actor = reader(request)
    found = queries.get(actor, run)
    chosen = [int(id) for id in request.POST.getlist("row") if id.isdecimal()][:MOST_AT_ONCE]
    rows = list(found.held.filter(pk__in=chosen))
    if not rows:
        messages.error(request, translate("请先勾选要处理的行"))
        return HttpResponseRedirect(f"/gather/runs/{found.pk}")
    return _done(request, found, lambda act: actions.dismiss(act=act, run=found, held=rows, reason=request.POST.get("reason", "")))


@require_POST
@page("gather.resubmit", own=True)
def resubmit(request: HttpRequest, run: str) -> HttpResponse:
    found = queries.get(reader(request), run)
    return _done(request, found, lambda act: actions.resubmit(act=act, run=found))


@require_POST
@page("gather.cancel", own=True)
def cancel(request: HttpRequest, run: str) -> HttpResponse:
    found = queries.get(reader(request), run)
    return _done(request, found, lambda act: actions.cancel(act=act, run=found))


def _done(request: HttpRequest, run: Run, do: Any) -> HttpResponse:
    try:
        with acting(reader(request)) as act:
            do(act)
    except HaitangError as refused:
        if refused.status == 403:
            raise
        messages.error(request, sentence_of(refused))
    return HttpResponseRedirect(f"/gather/runs/{run.pk}")


urlpatterns = [
    path("resources", resources),
    path("resources/<str:id>", resource),
    path("gather", runs),
    path("gather/upload", upload),
    path("gather/upload/start", gather_kept),
    path("gather/runs/<str:run>", run),
    path("gather/runs/<str:run>/dismiss", dismiss),
    path("gather/runs/<str:run>/resubmit", resubmit),
    path("gather/runs/<str:run>/cancel", cancel),
    path("gather/rows/<int:row>", row),
]
