"""Evaluation of how matters are handled, by CJ/T 292 and GB/T 30428.4. Every count leads to the list of its cases, which is the same query."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.declarations import in_force
from haitang.base.shell.context import reader
from haitang.base.shell.tables import Column, Empty, Table
from haitang.base.shell.views import page
from haitang.base.shell.words import figure, span
from haitang.base.text import T, translate
from haitang.hub.business.cases.drill import bounds, written
from haitang.hub.business.cases.filters import NONE, visible
from haitang.hub.business.cases.kinds import CaseType, sources
from haitang.hub.business.cases.statistics import FIGURES, Figures, statistics
from haitang.hub.business.places.kinds import Division
from haitang.support.security.people.models import Organization

PERIODS = {"week": T("近七天"), "month": T("本月"), "quarter": T("近三个月"), "year": T("本年")}
BY = {"organization": T("办理单位"), "source": T("案件来源"), "kind": T("类型"), "division": T("区划")}
COUNTS = ("accepted", "opened", "dismissed", "dispatched", "handled", "closed", "due", "closed_on_time", "overdue", "returned", "extended")
FIRST = (
    "accepted",
    "opened",
    "handled",
    "closed",
    "due",
    "closed_on_time",
    "overdue",
    "returned",
)  # the rest is one click away, among the columns
RATES = {"filing_rate": T("立案率"), "on_time_rate": T("按期结案率"), "closing_rate": T("结案率"), "rework_rate": T("返工率")}
EMPTY = Empty(T("这一时段没有案件"), T("请换一个时段，或等有案件受理后再看。"))

Link = Callable[[str, str | None], str]  # (figure, group) -> address of its cases


def _first_day(period: str, today: date) -> date:
    return {"week": today - timedelta(days=6), "quarter": today - timedelta(days=91), "year": today.replace(month=1, day=1)}.get(
        period, today.replace(day=1)
    )


def _titles(by: str) -> Mapping[str, str]:
    match by:
        case "source":
            return sources()
        case "kind":
            return {id: declared.title for id, declared in in_force().all(CaseType).items()}
        case "division":
            return {id: declared.title for id, declared in in_force().all(Division).items()}
    return dict(Organization.objects.values_list("pk", "title"))


def _columns(by: str, link: Link) -> list[Column]:
    titles = _titles(by)

    def name(f: Figures) -> str:
        return titles.get(f.group or "", f.group or T("未派遣") if by == "organization" else f.group or T("不详"))

    took = Column("handling", T("平均处置时长"), lambda f: f.handling.total_seconds() / 3600 if f.handling else None, _took, numeric=True)
    return [
        Column(by, BY[by], name, lambda f: translate(name(f)), sort="group"),
        *[_count(each, link) for each in COUNTS],
        *[_rate(each, title) for each, title in RATES.items()],
        took,
    ]


def _took(f: Figures) -> str:
    return span(f.handling) if f.handling else "—"


def _count(name: str, link: Link) -> Column:
    def cell(f: Figures) -> Any:
        number = getattr(f, name)
        return format_html('<a href="{}">{}</a>', link(name, f.group), number) if number else number

    return Column(name, FIGURES[name][0], lambda f: getattr(f, name), cell, sort=name, numeric=True, shown=name in FIRST)


def _rate(name: str, title: str) -> Column:
    def shown(f: Figures) -> str:
        value = getattr(f, name)
        return "—" if value is None else f"{figure(value)}%"

    return Column(name, title, lambda f: getattr(f, name), shown, sort=name, numeric=True)


@require_GET
@page("case.read", own=True)
def evaluation(request: HttpRequest) -> HttpResponse:
    """`?period=week|month|quarter|year&by=organization|source|kind|division`: figures by group."""
    period, by = request.GET.get("period", "month"), request.GET.get("by", "organization")
    by = by if by in BY else "organization"
    today = clock.now().astimezone(clock.CHINA).date()
    first = _first_day(period, today)
    since, until = bounds(first, today)
    cases = visible(reader(request))

    def link(name: str, group: str | None) -> str:
        only = f"={group}" if by == "division" and group else group or NONE
        return "/cases?" + urlencode({"figure": written(name, first, today), by: only}, safe="~=")

    table = Table(
        request, "evaluation", rows=_busy(statistics(cases, since=since, until=until, by=by)), columns=_columns(by, link),
        sort="-accepted", empty=EMPTY,
    )  # fmt: skip
    (total,) = statistics(cases, since=since, until=until)
    links = {name: "/cases?" + urlencode({"figure": written(name, first, today)}, safe="~") for name in FIGURES}
    doubtful = cases.filter(opened_at__lt=until).exclude(origin="live").order_by().values_list("origin", flat=True).distinct()
    shown = {
        "origins": sorted(doubtful),
        "periods": PERIODS,
        "period": period,
        "groups": BY,
        "by": by,
        "since": since,
        "until": until,
        "total": total,
        "links": links,
    }
    return table.response("management/evaluation.html", shown)


def _busy(found: list[Figures]) -> list[Figures]:
    """Groups to which something happened in the period, or that have something overdue."""
    return [figures for figures in found if any(getattr(figures, name) for name in COUNTS)]
