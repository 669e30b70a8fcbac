"""Pages of alarms: the list and one alarm with the reading that raised it."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.decorators.http import require_GET

from haitang.base.declarations import in_force
from haitang.base.errors import error
from haitang.base.shell.context import reader
from haitang.base.shell.tables import Column, Empty, Filter, Table
from haitang.base.shell.templatetags.shell import origin, status, when
from haitang.base.shell.views import page, show
from haitang.base.shell.words import ORIGINS, STATES, figure
from haitang.base.text import T, translate
from haitang.hub.business.cases.filters import visible
from haitang.hub.data.rules.kinds import Rule
from haitang.hub.data.rules.models import Alarm
from haitang.hub.data.rules.queries import alarms
from haitang.support.infrastructure.things.models import Thing

NO_ALARM = error("pages.no_alarm", 404, "没有这个报警。")


def state_of(alarm: Alarm) -> str:
    """Standing, cleared or withdrawn, in zh-Hans."""
    return T("已撤回") if alarm.withdrawn_at else T("已解除") if alarm.cleared_at else T("持续中")


def _held(alarm: Alarm) -> str:
    return status("notice", T("维护期间")) if alarm.held else ""


def _columns() -> list[Column]:
    titles = dict(Thing.objects.values_list("pk", "title"))
    return [
        Column(
            "title",
            T("报警内容"),
            lambda a: a.title,
            lambda a: format_html('<a href="/alarms/{}">{}</a> {} {}', a.pk, translate(a.title), origin(a.origin), _held(a)),
            wide=True,
        ),
        Column(
            "thing",
            T("设备"),
            lambda a: titles.get(a.thing, a.thing),
            lambda a: format_html('<a href="/things/{}">{}</a>', a.thing, translate(titles.get(a.thing, a.thing))),
        ),
        Column("severity", T("级别"), lambda a: a.severity, lambda a: status(a.severity)),
        Column("value", T("当时数值"), lambda a: a.value, lambda a: figure(a.value), sort="value", numeric=True),
        Column("opened", T("发生"), lambda a: a.opened_at, lambda a: when(a.opened_at), sort="opened_at"),
        Column("state", T("状态"), state_of, lambda a: translate(state_of(a))),
        Column("cleared", T("解除"), lambda a: a.cleared_at, lambda a: when(a.cleared_at), sort="cleared_at"),
        Column("raised", T("系统得知"), lambda a: a.raised_at, lambda a: when(a.raised_at), sort="raised_at", shown=False),
        Column("rule", T("规则"), lambda a: a.rule, sort="rule", shown=False),
    ]


def _filters() -> list[Filter]:
    return [
        Filter("standing", T("持续中"), lambda rows, value: rows.filter(cleared_at__isnull=True, withdrawn_at__isnull=True), kind="flag"),
        Filter(
            "severity",
            T("级别"),
            lambda rows, value: rows.filter(severity=value),
            choices=lambda: {k: STATES[k] for k in ("notice", "warning", "serious", "critical")},
        ),
        Filter(
            "rule",
            T("规则"),
            lambda rows, value: rows.filter(rule=value),
            choices=lambda: {id: r.title for id, r in in_force().all(Rule).items()},
        ),
        Filter(
            "thing",
            T("设备"),
            lambda rows, value: rows.filter(thing=value),
            choices=lambda: dict(Thing.objects.order_by("title").values_list("pk", "title")),
        ),
        Filter("origin", T("数据性质"), lambda rows, value: rows.filter(origin=value), choices=lambda: {"live": T("实时数据"), **ORIGINS}),
    ]


NONE_YET = Empty(T("还没有报警"), T("监测数据达到规则条件时会在这里出现。"), "/declarations", T("查看规则"))


@require_GET
@page("alarm.read")
def alarm_list(request: HttpRequest) -> HttpResponse:
    """All alarms, newest first."""
    table = Table(request, "alarms", rows=alarms(), columns=_columns(), filters=_filters(), sort="-opened", unfiltered=NONE_YET)
    return table.response("pages/alarms.html")


def find(id: UUID) -> Alarm:
    """One alarm; raises NO_ALARM."""
    found = Alarm.objects.filter(pk=id).first()
    if found is None:
        raise NO_ALARM()
    return found


@require_GET
@page("alarm.read")
def alarm(request: HttpRequest, id: UUID) -> HttpResponse:
    """What, since when, by which rule, under which release, and what came of it."""
    found = find(id)
    context = {
        "alarm": found,
        "state": state_of(found),
        "rule": in_force().all(Rule).get(found.rule),
        "thing": Thing.objects.filter(pk=found.thing).first(),
        "case": visible(reader(request)).filter(pk=found.case).first() if found.case else None,
    }
    return show(request, "pages/alarm.html", context)
