"""For the auditor: who was given whose data and why, and what looks unusual."""

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q
from django.db.models.functions import ExtractHour, TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.shell.context import reader
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.support.security.evidence.actions import answer_digest, record_access
from haitang.support.security.evidence.models import Access, EvidenceRecord
from haitang.support.security.evidence.subjects import KINDS, searched
from haitang.support.security.people.models import Person

ACCESS, DENIED = "evidence.access", ("evidence.denied", "policy.refused")
PURPOSES = {
    "data_subject_request": T("本人申请查询"),
    "complaint": T("投诉举报核查"),
    "inspection": T("例行检查"),
    "incident": T("安全事件调查"),
}
WAY = "POST /evidence/accesses/search"


def _names() -> dict[str, str]:
    return {str(pk): name for pk, name in Person.objects.values_list("pk", "name")}


def _columns() -> list[Column]:
    names = _names()

    def who(record: EvidenceRecord) -> str:
        kind, _, id = record.actor.partition(":")
        return names.get(id, id) if kind != "system" else f"{translate('系统')} {id}"

    def fact(name: str) -> Any:
        return lambda record: record.facts.get(name)

    def purpose(record: EvidenceRecord) -> str:
        return translate(PURPOSES.get(record.facts.get("purpose", ""), record.facts.get("purpose") or "—"))

    return [
        Column("at", T("时间"), lambda r: r.at, lambda r: when(r.at, "exact"), sort="at"),
        Column("actor", T("谁"), lambda r: r.actor, who, sort="actor"),
        Column("on_behalf_of", T("代表谁"), fact("on_behalf_of")),
        Column("purpose", T("用途"), fact("purpose"), purpose),
        Column("grant", T("授权"), fact("grant")),
        Column("resource", T("资源"), lambda r: r.subject_id, sort="subject_id"),
        Column("fields", T("字段"), lambda r: "、".join(r.facts.get("fields", [])), wide=True),
        Column("rows", T("行数"), fact("rows"), numeric=True),
        Column("way", T("途径"), fact("way"), lambda r: format_html('<span class="mono">{}</span>', r.facts.get("way") or "—")),
        Column("receipt", T("凭据"), lambda r: str(r.ref), lambda r: format_html('<a href="/evidence/receipts/{}">{}</a>', r.ref, translate("凭据"))),
    ]  # fmt: skip


def day_of(value: str) -> datetime | None:
    """The start of a civil day in China; None for what is no day."""
    try:
        return datetime.combine(datetime.fromisoformat(value).date(), time.min, clock.CHINA)
    except (ValueError, OverflowError):
        return None


def since(rows: Any, value: str) -> Any:
    day = day_of(value)
    return rows.filter(at__gte=day) if day else rows.none()


def until(rows: Any, value: str) -> Any:
    day = day_of(value)
    return rows.filter(at__lt=day + timedelta(days=1)) if day and day.year < 9999 else rows.none()


def by_person(rows: Any, value: str) -> Any:
    """Rows of an actor given by reference (`staff:<id>`), by name or by user name."""
    if ":" in value:
        return rows.filter(actor=value)
    people = Person.objects.filter(Q(name=value) | Q(username=value)).values_list("pk", flat=True)
    return rows.filter(actor__in=[f"staff:{pk}" for pk in people] + [f"system:{value}"])


FILTERS = [
    Filter("who", T("谁"), by_person, kind="text"),
    Filter("resource", T("资源"), lambda rows, value: rows.filter(subject_id=value), kind="text"),
    Filter("purpose", T("用途"), lambda rows, value: rows.filter(facts__purpose=value), kind="text"),
    Filter("since", T("起"), since, kind="date"),
    Filter("until", T("止"), until, kind="date"),
]


@require_GET
@page("evidence.read")
def accesses(request: HttpRequest) -> HttpResponse:
    """Every recorded access, or those that a search named a person for. The address names the search, never the person."""
    rows = EvidenceRecord.objects.filter(action=ACCESS)
    search = _search(request)
    if search is not None:
        rows = rows.filter(ref__in=Access.objects.filter(subjects__overlap=search.subjects).exclude(ref=search.ref).values("ref"))
    found = Empty(
        T("没有查到对此人数据的访问"), T("请核对标识的种类；超过在线保存期限的访问在归档中，可用 haitang evidence search-archives 查询。")
    )
    none = Empty(T("还没有数据访问记录"), T("使用授权、导出或读取一般级以上字段时，会在这里留下一条。"))
    table = Table(request, "accesses", rows=rows, columns=_columns(), filters=FILTERS, sort="-at", unfiltered=found if search else none)
    return table.response("evidence/accesses.html", _form(search=search))


def _search(request: HttpRequest) -> Access | None:
    """The search that the address names, when this reader made it."""
    try:
        ref = UUID(request.GET.get("search", ""))
    except ValueError:
        return None
    own = EvidenceRecord.objects.filter(ref=ref, action=ACCESS, subject_id="evidence", actor=reader(request).ref).exists()
    return Access.objects.filter(ref=ref).first() if own else None


def _form(**more: Any) -> dict[str, Any]:
    return {"kinds": KINDS, "purposes": PURPOSES, **more}


@require_POST
@page("evidence.read")
def search(request: HttpRequest) -> HttpResponse:
    """Look for a person's accesses. The search is itself an access to that person's data, and recorded before it answers."""
    kind, value, purpose = (request.POST.get(name, "").strip() for name in ("kind", "value", "purpose"))
    problems = {}
    if kind not in KINDS:
        problems["kind"] = T("请选择标识的种类。")
    if not value or not searched([(kind, value)]):
        problems["value"] = T("请填写要查询的标识。")
    if purpose not in PURPOSES:
        problems["purpose"] = T("请选择查询的用途，用途会一并留证。")
    if problems:
        table = Table(request, "accesses", rows=EvidenceRecord.objects.none(), columns=_columns(), filters=FILTERS, sort="-at")
        return show(
            request,
            "evidence/accesses.html",
            {"table": table, **_form(problems=problems, kind=kind, value=value, purpose=purpose)},
            status=422,
        )
    subjects = [(kind, value)]
    count = Access.objects.filter(subjects__overlap=searched(subjects)).count()
    with acting(reader(request)) as act:
        ref = record_access(
            act=act, resource="evidence", fields=["accesses"], rows=count, answer=answer_digest(str(count).encode()), purpose=purpose,
            way=WAY, subjects=subjects, by_every_suite=True,
        )  # fmt: skip
    return HttpResponseRedirect(f"/evidence/accesses?search={ref}")


NIGHT_FROM, NIGHT_TO = 22, 6


def _number(request: HttpRequest, name: str, default: int, most: int) -> int:
    given = request.GET.get(name, "")
    return min(int(given), most) if given.isascii() and given.isdigit() and given else default


@require_GET
@page("evidence.read")
def anomalies(request: HttpRequest) -> HttpResponse:
    """Large accesses at night, and people who were refused often in a day. The bounds stand in the address."""
    rows, denials = _number(request, "rows", 1000, 10**9), _number(request, "denials", 10, 10**6)
    days = _number(request, "days", 30, 366)
    begin, names = clock.now() - timedelta(days=days), _names()
    late = Q(hour__gte=NIGHT_FROM) | Q(hour__lt=NIGHT_TO)
    bulk = EvidenceRecord.objects.filter(action=ACCESS, at__gte=begin, facts__rows__gte=rows)
    bulk = bulk.annotate(hour=ExtractHour("at", tzinfo=clock.CHINA)).filter(late).order_by("-at")[:200]
    refused = (
        EvidenceRecord.objects.filter(action__in=DENIED, at__gte=begin)
        .annotate(day=TruncDate("at", tzinfo=clock.CHINA)).values("actor", "day").annotate(count=Count("id"), which=Count("subject_id", distinct=True))
        .filter(count__gte=denials).order_by(F("day").desc(), "-count")[:200]
    )  # fmt: skip
    context = {
        "bulk": [{"record": each, "who": names.get(each.actor.partition(":")[2], each.actor)} for each in bulk],
        "refused": [{**each, "who": names.get(each["actor"].partition(":")[2], each["actor"])} for each in refused],
        "rows": rows, "denials": denials, "days": days,
    }  # fmt: skip
    return show(request, "evidence/anomalies.html", context)
