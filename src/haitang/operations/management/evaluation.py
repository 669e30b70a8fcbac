"""Evaluation of how matters are handled, by CJ/T 292 and GB/T 30428.4."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from haitang.base import clock
from haitang.base.shell.context import reader
from haitang.base.shell.tables import Column, Table
from haitang.base.shell.views import page
from haitang.base.shell.words import figure, span
from haitang.base.text import T, translate
from haitang.hub.business.cases.listing import readable
from haitang.hub.business.cases.statistics import Figures, statistics
from haitang.support.security.people.models import Organization

PERIODS = {"month": T("本月"), "quarter": T("近三个月"), "year": T("本年")}


def _since(period: str) -> datetime:
    now = clock.now().astimezone(clock.CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"quarter": now - timedelta(days=91), "year": now.replace(month=1, day=1)}.get(period, now.replace(day=1))


def _columns(titles: dict[str, str]) -> list[Column]:
    counted = [("opened", T("立案")), ("dispatched", T("派遣")), ("handled", T("处置")), ("closed", T("结案")), ("due", T("应结案")), ("closed_on_time", T("按期结案")), ("overdue", T("超期未结")), ("returned", T("返工")), ("extended", T("延期"))]  # fmt: skip
    rates = [("on_time_rate", T("按期结案率")), ("closing_rate", T("结案率")), ("rework_rate", T("返工率"))]
    return [
        Column(
            "organization",
            T("单位"),
            lambda f: titles.get(f.group or "", f.group or "—"),
            lambda f: translate(titles.get(f.group or "", "未派遣")),
            sort="group",
        ),
        *[_count(name, title) for name, title in counted],
        *[_rate(name, title) for name, title in rates],
        Column(
            "handling",
            T("平均处置时长"),
            lambda f: f.handling.total_seconds() / 3600 if f.handling else None,
            lambda f: span(f.handling) if f.handling else "—",
            numeric=True,
        ),
    ]


def _count(name: str, title: str) -> Column:
    return Column(name, title, lambda f: getattr(f, name), sort=name, numeric=True)


def _rate(name: str, title: str) -> Column:
    def shown(f: Figures) -> str:
        value = getattr(f, name)
        return "—" if value is None else f"{figure(value)}%"

    return Column(name, title, lambda f: getattr(f, name), shown, sort=name, numeric=True)


@require_GET
@page("case.read", own=True)
def evaluation(request: HttpRequest) -> HttpResponse:
    """`?period=month|quarter|year`: figures by organization."""
    period = request.GET.get("period", "month")
    since, until = _since(period), clock.now()
    cases = readable(reader(request)).order_by()
    titles = dict(Organization.objects.values_list("pk", "title"))
    table = Table(
        request, "evaluation", rows=statistics(cases, since=since, until=until, by="organization"), columns=_columns(titles), sort="-opened"
    )
    total = statistics(cases, since=since, until=until)
    return table.response(
        "management/evaluation.html",
        {"periods": PERIODS, "period": period, "since": since, "until": until, "total": total[0] if total else None},
    )
