"""Pages: sources with their last reading and next due, one source with its files, test of a connection, what a person may do about it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting, may
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.hub.data.gather.sources import actions
from haitang.hub.data.gather.sources.extracting import probe
from haitang.hub.data.gather.sources.models import TakenFile
from haitang.hub.data.gather.sources.pulling import address, asked
from haitang.hub.data.gather.sources.queries import READ, Standing, source_of, standing, standings
from haitang.hub.data.gather.sources.watching import folder_of

WAYS = {"database": T("数据库"), "folder": T("监视目录"), "people": T("人工上传")}
_FILES = 100


entry("sources", title="数据来源", url="/gather/sources", icon="plug", group="know", order=25, permission=READ)


@require_GET
@page(READ)
def sources(request: HttpRequest) -> HttpResponse:
    """Every source, those in trouble first."""
    return show(request, "gather_sources/sources.html", {"standings": standings(), "ways": WAYS})


@require_GET
@page(READ)
def source(request: HttpRequest, id: str) -> HttpResponse:
    """One source."""
    return show(request, "gather_sources/source.html", _context(request, standing(source_of(id))))


def _context(request: HttpRequest, found: Standing, **more: Any) -> dict[str, Any]:
    files = TakenFile.objects.filter(source=found.source.id)
    actor = reader(request)
    return {
        "standing": found, "source": found.source, "state": found.state, "ways": WAYS, "files": files[:_FILES], "total": files.count(),
        "folder": folder_of(found.source) if found.source.folder else None,
        "may": {name: may(actor, f"gather.{name}") for name in ("ask_source", "set_password", "pause_source", "forget_cursor")},
        **more,
    }  # fmt: skip


@require_POST
@page("gather.ask_source")
def pull_now(request: HttpRequest, id: str) -> HttpResponse:
    """Ask the source in the background."""
    with acting(reader(request)) as act:
        actions.ask(act=act, source=source_of(id))
    messages.success(request, translate("已安排读取，完成后本页会显示结果。"))
    return _back(id)


@require_POST
@page("gather.ask_source")
def test(request: HttpRequest, id: str) -> HttpResponse:
    """Connect and name the columns, or say why not. No row is shown: levels are not known before the data is gathered."""
    found = standing(source_of(id))
    if found.source.database is None:
        return _back(id)
    try:
        return show(
            request, "gather_sources/source.html", _context(request, found, probe=probe(address(found.source), asked(found.source)))
        )
    except HaitangError as failure:
        return show(request, "gather_sources/source.html", _context(request, found, refused=sentence_of(failure)), status=failure.status)


@require_POST
@page("gather.set_password")
def password(request: HttpRequest, id: str) -> HttpResponse:
    """Keep the password of a database."""
    with acting(reader(request)) as act:
        actions.set_password(act=act, source=source_of(id), password=request.POST.get("password", ""))
    messages.success(request, translate("口令已加密保存。"))
    return _back(id)


@require_POST
@page("gather.pause_source")
def pause(request: HttpRequest, id: str) -> HttpResponse:
    """Stop asking a source, or go on."""
    with acting(reader(request)) as act:
        actions.pause(act=act, source=source_of(id), paused=request.POST.get("paused") == "1")
    return _back(id)


@require_POST
@page("gather.forget_cursor")
def forget(request: HttpRequest, id: str) -> HttpResponse:
    """Let the next pull read everything."""
    with acting(reader(request)) as act:
        actions.forget_cursor(act=act, source=source_of(id))
    messages.success(request, translate("已清除读取位置，下次将全量读取。"))
    return _back(id)


def _back(id: str) -> HttpResponse:
    return HttpResponseRedirect(f"/gather/sources/{id}")


urlpatterns = [
    path("gather/sources", sources),
    path("gather/sources/<str:id>", source),
    path("gather/sources/<str:id>/pull", pull_now),
    path("gather/sources/<str:id>/test", test),
    path("gather/sources/<str:id>/password", password),
    path("gather/sources/<str:id>/pause", pause),
    path("gather/sources/<str:id>/forget", forget),
]
