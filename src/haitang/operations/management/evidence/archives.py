"""Sealed archives on pages: what each holds, whether it still verifies, and what stands in one of them."""

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting, may
from haitang.base.shell.context import reader
from haitang.base.shell.tables import Empty, Table
from haitang.base.shell.views import page, show
from haitang.base.text import T
from haitang.operations.management.evidence.auditor import access_columns
from haitang.operations.management.evidence.inside import MOST, Inside, filters
from haitang.operations.management.evidence.persons import PersonSearch, form, named_search
from haitang.operations.management.evidence.records import record_columns
from haitang.operations.management.evidence.subjects import Named
from haitang.support.security.evidence.archive_checks import ASKED, ask_check, standing
from haitang.support.security.evidence.archives import NO_ARCHIVE, file_of, folder, months, search_archives
from haitang.support.security.evidence.export import Scope, note_export
from haitang.support.security.evidence.models import Archive

WAY = "POST /evidence/archives/search"
FAULTS = {
    "archive_damaged": T("文件缺失，或内容与登记的摘要不符：请从备份恢复 archives 目录"),
    "archive_signature": T("归档登记的签名不成立：登记被改动"),
    "records_missing": T("记录数与登记的不符"),
}


def _archive(first: int) -> Archive:
    found = Archive.objects.filter(first_seal=first).select_related("key").first()
    if found is None:
        raise NO_ARCHIVE(seal=first)
    return found


def _size(found: Archive) -> int | None:
    """Bytes of the file; None where it is missing."""
    file = folder() / found.file
    return file.stat().st_size if file.is_file() else None


def _shown(found: Archive) -> dict[str, Any]:
    state = standing(found)
    return {"archive": found, "size": _size(found), "check": state, "faults": [FAULTS.get(code, code) for code in state.faults or []]}


@require_GET
@page("evidence.read")
def archives(request: HttpRequest) -> HttpResponse:
    """Every archive, oldest first; with a search in the address, the accesses to that person's data that stand in them."""
    return _list(request)


def _list(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    every = list(Archive.objects.select_related("key").order_by("first_seal"))
    context = {"archives": [_shown(each) for each in every], "months": months(), **form(**more)}
    search = named_search(request)
    if search is not None:
        hits = list(search_archives(search.subjects, every))
        empty = Empty(T("归档中没有查到对此人数据的访问"), T("请核对标识的种类；近期的访问在数据访问审计页查询。"))
        columns = [column for column in access_columns() if column.name != "receipt"]
        context |= {"search": search, "table": Table(request, "archived-accesses", rows=hits, columns=columns, unfiltered=empty)}
    return show(request, "evidence/archives.html", context, status=status)


@require_POST
@page("evidence.read")
def search(request: HttpRequest) -> HttpResponse:
    """Look for a person's accesses in every archive; recorded before it answers."""
    asked = PersonSearch(request)
    if asked.problems:
        return _list(request, 422, **asked.typed)
    count = sum(1 for _ in search_archives(asked.entries))
    return HttpResponseRedirect(f"/evidence/archives?search={asked.recorded(count, fields='archived accesses', way=WAY)}")


@require_GET
@page("evidence.read")
def archive(request: HttpRequest, first: int) -> HttpResponse:
    """One archive: its facts, its last check, and its records by the filters in the address."""
    found = _archive(first)
    told = _shown(found)
    context = {**told, "may_check": may(reader(request), ASKED), "may_export": may(reader(request), "evidence.export"), "most": MOST}
    if told["size"] is None:
        return show(request, "evidence/archive.html", context)
    named = Named()
    columns = [column for column in record_columns(named) if column.name not in ("receipt", "digest")]
    named.table = Table(request, f"archive-{first}", rows=Inside(found), columns=columns, filters=filters())
    return named.table.response("evidence/archive.html", context)


@require_POST
@page(ASKED)
def check(request: HttpRequest, first: int) -> HttpResponse:
    """Have it verified; the page then waits for the result."""
    found = _archive(first)
    if not standing(found).runs:
        with acting(reader(request)) as act:
            ask_check(act=act, found=found)
    return HttpResponseRedirect(f"/evidence/archives/{first}")


@require_POST
@page("evidence.export")
def file(request: HttpRequest, first: int) -> HttpResponseBase:
    """The evidence file of an archive as it is kept, for verification elsewhere. The private file goes to nobody."""
    found = _archive(first)
    path = file_of(found)
    with acting(reader(request)) as act:
        note_export(act=act, scope=Scope(seals=(found.first_seal, found.last_seal)))
    return FileResponse(path.open("rb"), as_attachment=True, filename=found.file, content_type="application/gzip")
