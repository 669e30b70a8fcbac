"""The evidence pages: records by subject, seals, and the receipt that anybody verifies offline."""

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from haitang.base.actions import permission, permissions
from haitang.base.shell.tables import Column, Empty, Filter, Rows, Table
from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.views import page, show
from haitang.base.shell.words import who
from haitang.base.text import T, translate
from haitang.operations.management.evidence.auditor import by_person, since, until
from haitang.operations.management.evidence.subjects import KINDS, Named
from haitang.support.security.evidence.keyring import keys
from haitang.support.security.evidence.models import EvidenceRecord, KeyCompromise, Seal
from haitang.support.security.people.models import Person

permission("evidence.read", "查看证据")


def _who(record: EvidenceRecord, names: dict[str, str]) -> str:
    kind, _, id = record.actor.partition(":")
    return names.get(id, id) if kind != "system" else f"{translate('系统')} · {who(id)}"


def actor_name(record: EvidenceRecord) -> str:
    """Who acted, of one record."""
    person = Person.objects.filter(pk=record.actor.partition(":")[2]).first() if not record.actor.startswith("system:") else None
    return who(person.name) if person else _who(record, {})


def _subject(record: EvidenceRecord, named: Named) -> str:
    return format_html('<a href="/evidence/{}/{}">{}</a>', record.subject_kind, record.subject_id, named.of(record))


def _sealed(record: EvidenceRecord) -> str:
    if record.seal_id is None:
        return format_html('<span class="soft">{}</span>', translate("等待封存"))
    return format_html('<a href="/evidence/seals#seal-{}">✓ {}</a>', record.seal_id, translate("封存 {n}", n=record.seal_id))


def _receipt(record: EvidenceRecord) -> str:
    return format_html('<a href="/evidence/receipts/{}">{}</a>', record.ref, translate("查看凭据")) if record.seal_id else "—"


def record_columns(named: Named) -> list[Column]:
    """What a record of the ledger shows in a table."""
    names = {str(pk): name for pk, name in Person.objects.values_list("pk", "name")}
    return [
        Column("at", T("时间"), lambda r: r.at, lambda r: when(r.at, "exact"), sort="at"),
        Column("actor", T("谁"), lambda r: r.actor, lambda r: _who(r, names), sort="actor"),
        Column("action", T("做了什么"), lambda r: r.action, lambda r: translate(permissions.get(r.action, r.action)), sort="action"),
        Column("subject", T("对什么"), lambda r: f"{r.subject_kind}:{r.subject_id}", lambda r: _subject(r, named)),
        Column("sealed", T("封存"), lambda r: r.seal_id, _sealed, sort="seal_id"),
        Column("receipt", T("凭据"), lambda r: str(r.ref), _receipt),
        Column(
            "release",
            T("声明版本"),
            lambda r: r.release,
            lambda r: format_html('<span class="mono">{}</span>', r.release[:12]),
            shown=False,
        ),
        Column("digest", T("摘要"), lambda r: r.digest, lambda r: format_html('<span class="mono">{}</span>', r.digest), shown=False),
    ]


def used_actions() -> dict[str, str]:
    """Every action by its title, in the order of the titles."""
    return dict(sorted(permissions.items(), key=lambda item: item[1]))


def _filters() -> list[Filter]:
    return [
        Filter("kind", T("对象"), lambda rows, value: rows.filter(subject_kind=value), choices=lambda: KINDS),
        Filter("action", T("操作"), lambda rows, value: rows.filter(action=value), choices=used_actions),
        Filter("who", T("谁"), by_person, kind="text"),
        Filter("subject", T("对象编号"), lambda rows, value: rows.filter(subject_id=value), kind="text"),
        Filter("since", T("起"), since, kind="date"),
        Filter("until", T("止"), until, kind="date"),
        Filter("unsealed", T("等待封存"), lambda rows, value: rows.filter(seal__isnull=True), kind="flag"),
    ]


def _table(request: HttpRequest, id: str, rows: Rows) -> Table:
    named = Named()
    named.table = Table(
        request,
        id,
        rows=rows,
        columns=record_columns(named),
        filters=_filters(),
        sort="-at",
        unfiltered=Empty(T("还没有证据记录"), T("每次办理都会在这里留下一条。")),
    )
    return named.table


@require_GET
@page("evidence.read")
def records(request: HttpRequest) -> HttpResponse:
    """Every record of the ledger, newest first, and how far it is sealed."""
    last = Seal.objects.order_by("-number").first()
    context = {
        "records": EvidenceRecord.objects.count(),
        "unsealed": EvidenceRecord.objects.filter(seal__isnull=True).count(),
        "last": last,
        "seals": last.number if last else 0,
    }
    return _table(request, "evidence", EvidenceRecord.objects.all()).response("management/evidence.html", context)


@require_GET
@page("evidence.read")
def of_subject(request: HttpRequest, kind: str, id: str) -> HttpResponse:
    """What happened to one subject."""
    table = _table(request, f"evidence-{kind}", EvidenceRecord.objects.filter(subject_kind=kind, subject_id=id))
    return table.response("management/evidence.html", {"subject": f"{translate(KINDS.get(kind, kind))} {id}"})


@require_GET
@page("evidence.read")
def seals(request: HttpRequest) -> HttpResponse:
    """The chain of seals and the keys that signed it."""
    return show(
        request,
        "management/seals.html",
        {
            "seals": Seal.objects.order_by("-number")[:200],
            "keys": keys(),
            "compromised": {each.key_id: each.since for each in KeyCompromise.objects.order_by("-since")},
        },
    )
