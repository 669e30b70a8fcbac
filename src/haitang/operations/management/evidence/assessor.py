"""For an assessor: the clauses of a standard on a page, how many records answer each, and the evidence of one or of all as a file."""

import re
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting, may, permissions
from haitang.base.declarations import in_force
from haitang.base.shell.context import reader
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.operations.management.evidence.auditor import day_after, day_of
from haitang.operations.management.evidence.clauses import audit_of, counts_of, export_clause, export_clauses
from haitang.operations.management.evidence.kinds import Audit
from haitang.support.security.evidence.export import Scope, note_export
from haitang.support.security.evidence.models import Archive

ROOMS = {
    "people.*": T("人员的全部操作"),
    "case.*": T("案件的全部操作"),
    "procedure.*": T("流程的全部操作"),
    "declarations.*": T("声明的全部操作"),
    "things.*": T("设备的全部操作"),
}


@dataclass(frozen=True)
class Period:
    """The days that were asked for, both included; a word that is no day is none."""

    since: str
    until: str

    @staticmethod
    def of(told: QueryDict) -> "Period":
        since, until = told.get("since", ""), told.get("until", "")
        return Period(since if day_of(since) else "", until if day_after(until) else "")

    @property
    def scope(self) -> Scope:
        return Scope(since=day_of(self.since), until=day_after(self.until))

    @property
    def words(self) -> str:
        """For a file's name."""
        return "".join(f"-{day}" for day in (self.since, self.until) if day)


@require_GET
@page("evidence.read")
def clauses(request: HttpRequest) -> HttpResponse:
    """The clauses of one audit, the first by default, with the sealed records of the period that answer each."""
    every = in_force().all(Audit)
    audit = audit_of(request.GET.get("audit") or next(iter(sorted(every)), ""))
    period = Period.of(request.GET)
    counts = counts_of(audit, period.scope)
    context = {
        "audits": {id: each.title for id, each in sorted(every.items())}, "audit": audit, "period": period,
        "clauses": [{"id": id, "clause": clause, "count": counts[id], "words": [_word(each) for each in clause.records]} for id, clause in audit.clauses.items()],
        "may_export": may(reader(request), "evidence.export"), "archives": _archived(period),
    }  # fmt: skip
    return show(request, "evidence/clauses.html", context)


def _word(action: str) -> str:
    """An action by its title; `case.*` stands for a room's, by its first part."""
    return translate(ROOMS.get(action, permissions.get(action, action)))


def _archived(period: Period) -> Any:
    """Archives that hold records of the period: they are files of their own already."""
    scope = period.scope
    found = Archive.objects.order_by("first_seal")
    if scope.since:
        found = found.filter(ends__gte=scope.since)
    return found.filter(begins__lt=scope.until) if scope.until else found


@require_POST
@page("evidence.export")
def export(request: HttpRequest) -> HttpResponseBase:
    """The evidence of one clause (a file that anybody verifies), or of all of them (a zip). What waits for its seal is not in it."""
    audit, period, clause = audit_of(request.POST.get("audit", "")), Period.of(request.POST), request.POST.get("clause", "")
    scope, out = period.scope, TemporaryFile()  # noqa: SIM115 - the answer closes it
    if clause:
        export_clause(out, audit, clause, scope)
    else:
        export_clauses(out, audit, scope)
    with acting(reader(request)) as act:
        note_export(
            act=act, scope=Scope(since=scope.since, until=scope.until, actions=(f"audit:{audit.id}", *([clause] if clause else [])))
        )
    out.seek(0)
    name = f"{audit.id}{'-' + re.sub('[^A-Za-z0-9._-]', '_', clause) if clause else ''}{period.words}"
    kind, ending = ("application/jsonl", "jsonl") if clause else ("application/zip", "zip")
    return FileResponse(out, as_attachment=True, filename=f"{name}.{ending}", content_type=kind)
