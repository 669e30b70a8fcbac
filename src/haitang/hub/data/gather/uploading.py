"""Uploading a file by page: it is shown as it will be understood before anything is gathered, and the mapping is remembered."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from haitang.base.actions import acting, may, require
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import sentence_of
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.queries import provider
from haitang.hub.data.gather import actions, incoming, queries, readers
from haitang.hub.data.gather.judge.columns import match, refuse_missing
from haitang.hub.data.gather.previewing import judged
from haitang.hub.data.gather.provisional.pages import preview as propose_from

ROWS = 20


@page("gather.start", own=True)
def upload(request: HttpRequest) -> HttpResponse:
    """Choose a resource and a file; then see its first rows as they will be understood, with what is wrong with them."""
    context: dict[str, Any] = {
        "resources": _mine(request), "chosen": request.POST.get("resource") or request.GET.get("resource", ""),
        "may_infer": may(reader(request), "gather.infer", reader(request)),
    }  # fmt: skip
    if request.method != "POST":
        return show(request, "gather/upload.html", context)
    try:
        file = request.FILES.get("file")
        if not context["chosen"] and context["may_infer"]:
            return propose_from(request, _kept(request, file))
        resource = in_force().get(Resource, context["chosen"])
        require(reader(request), "gather.start", sender(resource))
        kept = _kept(request, file)
        return show(request, "gather/preview.html", {**context, **_preview(request, resource, kept)})
    except HaitangError as refused:
        if refused.status == 403:
            raise
        return show(request, "gather/upload.html", {**context, "sentence": sentence_of(refused)}, status=refused.status)


def _kept(request: HttpRequest, file: Any) -> incoming.Incoming:
    return incoming.keep(file, file.name or "") if file else incoming.kept(request.POST.get("kept", ""), request.POST.get("name", ""))


def sender(resource: Resource) -> actions.Sender:
    found = provider(resource)
    return actions.Sender(found.pk if found else "")


def _mine(request: HttpRequest) -> dict[str, Resource]:
    return {id: each for id, each in in_force().all(Resource).items() if may(reader(request), "gather.start", sender(each))}


def _columns(request: HttpRequest, resource: Resource) -> dict[str, Any]:
    """The mapping that the form gives; nothing on the first showing."""
    found: dict[str, Any] = {}
    for name, field in resource.fields.items():
        given = [
            value
            for key in ([f"map-{name}-1", f"map-{name}-2"] if field.type == "point" else [f"map-{name}"])
            if (value := request.POST.get(key))
        ]
        if given:
            found[name] = given[0] if len(given) == 1 else given
    return found


def _preview(request: HttpRequest, resource: Resource, kept: incoming.Incoming) -> Mapping[str, Any]:
    chunk = readers.preview(kept.path, rows=ROWS)
    headings = list(chunk.columns.schema.names) if chunk else []
    columns = match(resource, headings, _columns(request, resource) or queries.understood(resource.id, headings))
    context: dict[str, Any] = {"resource": resource, "kept": kept.path.name, "name": kept.name, "size": kept.size, "headings": headings}
    context["mapping"] = [
        {"name": name, "field": field, "heading": columns.get(name, ""), "required": field.required or name in resource.key}
        for name, field in resource.fields.items()
    ]
    try:
        refuse_missing(resource, columns, headings)
    except HaitangError as refused:
        return {**context, "sentence": sentence_of(refused)}
    return {**context, **(judged(resource, columns, chunk) if chunk else {})}


@require_POST
@page("gather.start", own=True)
def gather_kept(request: HttpRequest) -> HttpResponse:
    """Gather the file that was previewed, as it was understood, and remember how."""
    resource = in_force().get(Resource, request.POST.get("resource", ""))
    kept = incoming.kept(request.POST.get("kept", ""), request.POST.get("name", ""))
    chunk = readers.preview(kept.path, rows=1)
    headings = list(chunk.columns.schema.names) if chunk else []
    columns = match(resource, headings, _columns(request, resource))
    refuse_missing(resource, columns, headings)
    load = "full" if request.POST.get("load") == "full" else "update"
    with acting(reader(request)) as act:
        run = actions.start(act=act, resource=resource, file=kept, columns=columns, load=load, sender=sender(resource))
        actions.understand(act=act, resource=resource, headings=headings, columns=columns, sender=sender(resource))
    return HttpResponseRedirect(f"/gather/runs/{run.pk}")
