"""For the auditor: who was given whose data and why, and what looks unusual."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import ExtractHour, TruncDate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.templatetags.shell import when
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.hub.data.catalogue.kinds import Resource
from haitang.operations.management.evidence.persons import ACCESS, PURPOSES, PersonSearch, form, named_search
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.evidence.queries import accesses_to
from haitang.support.security.people.models import Organization, Person

DENIED = ("evidence.denied", "policy.refused")
OWN = {"evidence": T("证据账本"), "accesses": T("访问记录"), "archived accesses": T("归档中的访问记录")}
WAY = "POST /evidence/accesses/search"


def _names() -> dict[str, str]:
    return {str(pk): name for pk, name in Person.objects.values_list("pk", "name")}


def access_columns() -> list[Column]:
    """Who was given what, for whom and why; of an access record, from the database or from an archive."""
    names, resources = _names(), in_force().all(Resource)
    units = dict(Organization.objects.values_list("pk", "title"))

    def who(record: EvidenceRecord) -> str:
        kind, _, id = record.actor.partition(":")
        return names.get(id, id) if kind != "system" else f"{translate('系统')} {id}"

    def fact(name: str) -> Any:
        return lambda record: record.facts.get(name)

    def behalf(record: EvidenceRecord) -> str:
        kind, _, id = (record.facts.get("on_behalf_of") or "").partition(":")
        return {"organization": units, "person": names}.get(kind, {}).get(id) or id or "—"

    def resource(record: EvidenceRecord) -> str:
        found = resources.get(record.subject_id)
        return translate(found.title) if found else translate(OWN.get(record.subject_id, record.subject_id))

    def fields(record: EvidenceRecord) -> str:
        known = resources[record.subject_id].fields if record.subject_id in resources else {}
        titles = (known[name].title if name in known else OWN.get(name, name) for name in record.facts.get("fields", []))
        return translate("、").join(translate(title or "") for title in titles)

    def purpose(record: EvidenceRecord) -> str:
        return translate(PURPOSES.get(record.facts.get("purpose", ""), record.facts.get("purpose") or "—"))

    return [
        Column("at", T("时间"), lambda r: r.at, lambda r: when(r.at, "exact"), sort="at"),
        Column("actor", T("谁"), lambda r: r.actor, who, sort="actor"),
        Column("on_behalf_of", T("代表谁"), fact("on_behalf_of"), behalf),
        Column("purpose", T("用途"), fact("purpose"), purpose),
        Column("grant", T("授权"), fact("grant")),
        Column("resource", T("资源"), lambda r: r.subject_id, resource, sort="subject_id"),
        Column("fields", T("字段"), lambda r: "、".join(r.facts.get("fields", [])), fields, wide=True),
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


def day_after(value: str) -> datetime | None:
    """The end of a civil day in China; None for what is no day."""
    day = day_of(value)
    return day + timedelta(days=1) if day and day.year < 9999 else None


def until(rows: Any, value: str) -> Any:
    end = day_after(value)
    return rows.filter(at__lt=end) if end else rows.none()


def actors_of(value: str) -> list[str]:
    """References of an actor given by reference (`staff:<id>`), by name or by user name."""
    if ":" in value:
        return [value]
    people = Person.objects.filter(Q(name=value) | Q(username=value)).values_list("pk", flat=True)
    return [f"staff:{pk}" for pk in people] + [f"system:{value}"]


def by_person(rows: Any, value: str) -> Any:
    return rows.filter(actor__in=actors_of(value))


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
    search = named_search(request)
    if search is not None:
        rows = rows.filter(ref__in=accesses_to(search.subjects).exclude(ref=search.ref).values("ref"))
    found = Empty(
        T("没有查到对此人数据的访问"),
        T("请核对标识的种类；超过在线保存期限的访问在归档中，请在归档页查询。"),
        "/evidence/archives",
        T("证据归档"),
    )
    none = Empty(T("还没有数据访问记录"), T("使用授权、导出或读取一般级以上字段时，会在这里留下一条。"))
    table = Table(
        request, "accesses", rows=rows, columns=access_columns(), filters=FILTERS, sort="-at", unfiltered=found if search else none
    )
    return table.response("evidence/accesses.html", form(search=search))


@require_POST
@page("evidence.read")
def search(request: HttpRequest) -> HttpResponse:
    """Look for a person's accesses. The search is itself an access to that person's data, and recorded before it answers."""
    asked = PersonSearch(request)
    if asked.problems:
        table = Table(request, "accesses", rows=EvidenceRecord.objects.none(), columns=access_columns(), filters=FILTERS, sort="-at")
        return show(request, "evidence/accesses.html", {"table": table, **form(**asked.typed)}, status=422)
    count = accesses_to(asked.entries).count()
    return HttpResponseRedirect(f"/evidence/accesses?search={asked.recorded(count, fields='accesses', way=WAY)}")


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
