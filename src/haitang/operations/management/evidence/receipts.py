"""Receipts for people: of what one did oneself, of a case one may read, each as a file and as a QR code."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from haitang.base.actions import NOT_ALLOWED, Actor, may, permissions, require
from haitang.base.shell.context import reader
from haitang.base.shell.tables import Column, Empty, Rows, Table
from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.queries import case_by_number
from haitang.operations.management.evidence.records import actor_name
from haitang.operations.management.evidence.said import facts_of
from haitang.operations.management.evidence.subjects import Named
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.export import NO_RECORD
from haitang.support.security.evidence.export import receipt as write
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.evidence.receipts import qr_svg, receipt_text


def _readable(actor: Actor, ref: UUID) -> EvidenceRecord:
    """A record that the reader made, whose case they may read, or any for who may read evidence; raises NO_RECORD or NOT_ALLOWED."""
    record = EvidenceRecord.objects.filter(ref=ref).select_related("seal").first()
    if record is None:
        raise NO_RECORD(ref=ref)
    if record.actor == actor.ref or may(actor, "evidence.read"):
        return record
    case = Case.objects.filter(pk=record.subject_id).first() if record.subject_kind == "case" else None
    if case is None:
        raise NOT_ALLOWED(
            actor=actor.name, permission=permissions.get("evidence.read", "evidence.read"), reason=translate("这不是您办理的事项")
        )
    require(actor, "case.read", case)
    return record


@require_GET
@page(anyone="one's own acts, or those of a case that one may read")
def receipt(request: HttpRequest, ref: UUID) -> HttpResponse:
    """One record with its proof: what it says, a QR code, the file, and how to check both."""
    record = _readable(reader(request), ref)
    text = receipt_text(ref) if record.seal_id else ""
    context = {
        "record": record, "text": text, "qr": qr_svg(text) if text else "", "title": permissions.get(record.action, record.action),
        "who": actor_name(record), "subject": Named.one(record), "facts": list(facts_of(record.facts)),
        "may_read": may(reader(request), "evidence.read"), "raw": canonical(body(record)).decode(),
    }  # fmt: skip
    return show(request, "evidence/receipt.html", context)


@require_GET
@page(anyone="one's own acts, or those of a case that one may read")
def receipt_file(request: HttpRequest, ref: UUID) -> HttpResponse:
    """The evidence file of one record."""
    from io import BytesIO

    _readable(reader(request), ref)
    write(out := BytesIO(), str(ref))
    answer = HttpResponse(out.getvalue(), content_type="application/jsonl")
    answer["Content-Disposition"] = f'attachment; filename="receipt-{ref}.jsonl"'
    return answer


def _link(record: EvidenceRecord) -> str:
    return format_html(
        '<a href="/evidence/receipts/{}">{}</a>', record.ref, translate("查看凭据") if record.seal_id else translate("等待封存")
    )


def _columns(named: Named) -> list[Column]:
    return [
        Column("at", T("时间"), lambda r: r.at, lambda r: when(r.at, "exact"), sort="at"),
        Column("action", T("做了什么"), lambda r: r.action, lambda r: translate(permissions.get(r.action, r.action)), sort="action"),
        Column("subject", T("对什么"), lambda r: f"{r.subject_kind}:{r.subject_id}", named.of),
        Column("receipt", T("凭据"), lambda r: str(r.ref), _link),
    ]


def _table(request: HttpRequest, id: str, rows: Rows, empty: Empty) -> Table:
    named = Named()
    named.table = Table(request, id, rows=rows, columns=_columns(named), sort="-at", unfiltered=empty)
    return named.table


@require_GET
@page(anyone="one's own acts")
def mine(request: HttpRequest) -> HttpResponse:
    """What the reader did, each with its receipt."""
    rows = EvidenceRecord.objects.filter(actor=reader(request).ref)
    empty = Empty(T("您还没有办理过事项"), T("办理之后，凭据会出现在这里。"))
    table = _table(request, "my-receipts", rows, empty)
    return table.response("evidence/mine.html", {"title": T("我的办理凭据"), "sub": T("您办理的每件事都有一份凭据，可以离线核验")})


@require_GET
@page("case.read", own=True)
def of_case(request: HttpRequest, number: str) -> HttpResponse:
    """The receipts of a case that the reader may read."""
    case = case_by_number(reader(request), number)
    rows = EvidenceRecord.objects.filter(subject_kind="case", subject_id=str(case.pk))
    table = _table(request, "case-receipts", rows, Empty(T("还没有凭据"), T("办理之后，凭据会出现在这里。")))
    context = {"title": case.number, "sub": case.title, "back": f"/cases/{case.number}", "back_title": T("案件")}
    return table.response("evidence/mine.html", context)
