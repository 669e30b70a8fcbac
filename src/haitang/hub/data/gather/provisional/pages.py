"""Pages: a proposal before it is gathered, provisional resources, one of them with what a person may do about it."""

import io
import zipfile
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import Actor, acting, may, require
from haitang.base.declarations import in_force
from haitang.base.declarations.models import Provisional
from haitang.base.errors import HaitangError, error
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.hub.data.catalogue import queries as catalogue
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import incoming, readers
from haitang.hub.data.gather.actions import Sender
from haitang.hub.data.gather.infer.doubts import said
from haitang.hub.data.gather.judge.columns import match
from haitang.hub.data.gather.previewing import judged
from haitang.hub.data.gather.provisional import actions
from haitang.hub.data.gather.provisional.proposing import ON_A_PAGE, about, proposed, shown

NOT_THERE = error("gather.no_provisional", 404, "没有这个暂定数据资源。")
STATUS = {"provisional": "notice", "adopted": "normal", "leaving": "stale", "discarded": "stale"}
SURE = {"high": T("有把握"), "medium": T("请核对"), "low": T("不确定")}


def preview(request: HttpRequest, kept: incoming.Incoming) -> HttpResponse:
    """What would be made of a file that has no resource yet (`uploading` calls it). Nothing is kept but the file."""
    actor = reader(request)
    sender = Sender(actor.organization or "")
    require(actor, "gather.infer", sender)
    found = proposed(
        kept.path, kept.name, id=request.POST.get("id", "").strip(), title=request.POST.get("title", "").strip(), organization=sender.organization, most=ON_A_PAGE
    )  # fmt: skip
    files = found.files if request.POST.get("id", found.id) != found.id else {**found.files, **_files(request, found.files)}
    seen = about(found)
    context: dict[str, Any] = {
        "kept": kept.path.name, "name": kept.name, "size": kept.size, "id": found.id, "proposed_title": found.title, "files": files, "seen": seen, "doubts": said(seen["doubts"]),
        "fields": shown(seen), "sure": SURE, "rows_seen": found.rows,
    }  # fmt: skip
    try:
        declared = actions.checked(found.id, files)
    except HaitangError as refused:
        return show(request, "gather/infer.html", {**context, "sentence": sentence_of(refused)}, status=422)
    resource, chunk = declared.get(Resource, found.id), readers.preview(kept.path)
    if chunk:
        columns = match(resource, list(chunk.columns.schema.names), found.mapping)
        context |= judged(resource, columns, chunk, declared)
    return show(request, "gather/infer.html", context)


def _files(request: HttpRequest, known: Any) -> dict[str, str]:
    """The declarations as the person mended them."""
    return {name: text.replace("\r\n", "\n") for name in known if (text := request.POST.get(f"file-{name}"))}


@require_POST
@page("gather.infer", own=True)
def accept(request: HttpRequest) -> HttpResponse:
    """Put the proposal in force provisionally and gather its file."""
    actor = reader(request)
    sender = Sender(actor.organization or "")
    kept = incoming.kept(request.POST.get("kept", ""), request.POST.get("name", ""))
    found = proposed(
        kept.path, kept.name, id=request.POST.get("id", "").strip(), title=request.POST.get("title", "").strip(), organization=sender.organization, most=ON_A_PAGE
    )  # fmt: skip
    files = {**found.files, **_files(request, found.files)}
    try:
        with acting(actor) as act:
            _, run = actions.gather_provisionally(
                act=act, id=found.id, title=found.title, files=files, about=about(found), columns=found.mapping, file=kept, sender=sender
            )
    except HaitangError as refused:
        if refused.status == 403:
            raise
        messages.error(request, sentence_of(refused))
        return preview(request, kept)
    return HttpResponseRedirect(f"/gather/runs/{run.pk}")


def _seen(actor: Actor) -> list[Provisional]:
    return [each for each in Provisional.objects.order_by("-id")[:500] if may(actor, catalogue.PROVISIONAL, each)]


@require_GET
@page(catalogue.PROVISIONAL, own=True)
def provisionals(request: HttpRequest) -> HttpResponse:
    """Provisional resources, the newest first."""
    rows = [
        {"found": each, "status": STATUS[each.status], "status_title": translate(each.get_status_display())}
        for each in _seen(reader(request))
    ]
    return show(request, "gather/provisionals.html", {"rows": rows})


def _get(actor: Actor, id: str) -> Provisional:
    found = Provisional.objects.filter(pk=id).first()
    if found is None:
        raise NOT_THERE()
    require(actor, catalogue.PROVISIONAL, found)
    return found


@require_GET
@page(catalogue.PROVISIONAL, own=True)
def provisional(request: HttpRequest, id: str) -> HttpResponse:
    """One provisional resource: what was seen, what is doubted, its declarations; adopt or discard."""
    return _show(request, _get(reader(request), id))


def _show(request: HttpRequest, found: Provisional, given: Any = None, sentence: str = "", status: int = 200) -> HttpResponse:
    actor, open = reader(request), found.status == Provisional.Status.PROVISIONAL
    own = found.proposed_by in actor.refs
    context = {
        "found": found, "status": STATUS[found.status], "status_title": translate(found.get_status_display()), "seen": found.about, "doubts": said(found.about.get("doubts", [])),
        "fields": shown(found.about) if found.about else [], "files": {**found.files, **(given or {})}, "sentence": sentence, "own": own,
        "may_adopt": open and not own and may(actor, "gather.adopt", found), "may_discard": open and may(actor, "gather.discard", found),
        "in_force": found.declaration in in_force().all(Resource), "sure": SURE,
    }  # fmt: skip
    return show(request, "gather/provisional.html", context, status=status)


@require_POST
@page("gather.adopt")
def adopt(request: HttpRequest, id: str) -> HttpResponse:
    found = _get(reader(request), id)
    given = _files(request, found.files)
    try:
        with acting(reader(request)) as act:
            actions.adopt(act=act, provisional=found, files=given, note=request.POST.get("note", ""))
    except HaitangError as refused:
        if refused.status == 403 and refused.kind is not actions.OWN:
            raise
        return _show(request, found, given, sentence_of(refused), refused.status)
    messages.success(request, translate("已采纳，“暂定”的标记几秒后消失"))
    return HttpResponseRedirect(f"/gather/provisional/{found.pk}")


@require_POST
@page("gather.discard", own=True)
def discard(request: HttpRequest, id: str) -> HttpResponse:
    found = _get(reader(request), id)
    try:
        with acting(reader(request)) as act:
            actions.discard(act=act, provisional=found, note=request.POST.get("note", ""))
    except HaitangError as refused:
        if refused.status == 403:
            raise
        return _show(request, found, None, sentence_of(refused), refused.status)
    messages.success(request, translate("正在撤去，数据即将从湖中移除"))
    return HttpResponseRedirect(f"/gather/provisional/{found.pk}")


@require_GET
@page(catalogue.PROVISIONAL, own=True)
def download(request: HttpRequest, id: str) -> HttpResponse:
    """The declarations as a zip to be put into the folder of a place or an application."""
    found = _get(reader(request), id)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for relative, text in found.files.items():
            packed.writestr(relative, text)
    return HttpResponse(
        made.getvalue(), content_type="application/zip", headers={"Content-Disposition": f'attachment; filename="{found.declaration}.zip"'}
    )


urlpatterns = [
    path("gather/infer", accept),
    path("gather/provisional", provisionals),
    path("gather/provisional/<uuid:id>", provisional),
    path("gather/provisional/<uuid:id>/adopt", adopt),
    path("gather/provisional/<uuid:id>/discard", discard),
    path("gather/provisional/<uuid:id>/files.zip", download),
]
