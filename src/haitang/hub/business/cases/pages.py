"""Pages of cases: the list, one case, the handler's phone."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import Actor
from haitang.base.ports import policy
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.tables import Empty, Table
from haitang.base.shell.views import page, show
from haitang.base.text import T
from haitang.hub.business.cases.deadlines import first_deadline
from haitang.hub.business.cases.detail import context_of
from haitang.hub.business.cases.listing import COLUMNS, filters, readable, waits_for
from haitang.hub.business.cases.opening import new
from haitang.hub.business.cases.queries import case_by_number
from haitang.hub.business.cases.submission import Submission, submit


def _waiting(actor: Actor) -> int:
    return int(readable(actor).filter(waits_for(actor)).count())


entry("cases", title="案件", url="/cases", icon="clipboard-list", group="work", order=10, permission="case.read", badge=_waiting)
entry("tasks", title="我的任务（手机版）", url="/m/tasks", icon="device-mobile", group="work", order=30, permission="case.move")

EMPTY = Empty(T("没有符合条件的案件"), T("请放宽筛选条件，或清除筛选后再看。"), "/cases", T("清除筛选"))
NONE_YET = Empty(T("还没有案件"), T("规则报警后会自动立案；有权限的人员也可以登记上报和热线受理的案件。"), "/alarms", T("查看报警"))


@require_GET
@page("case.read", own=True)
def cases(request: HttpRequest) -> HttpResponse:
    """The list; its whole state stands in the address."""
    actor = reader(request)
    found = readable(actor)
    table = Table(
        request, "cases", rows=found, columns=COLUMNS, filters=filters(actor, request.GET), sort="-opened", empty=EMPTY, unfiltered=NONE_YET
    )
    tabs = [("", T("全部"), found.count())]
    narrow = {each.name: each for each in filters(actor)}
    tabs += [(name, narrow[name].title, narrow[name].narrow(found, "1").count()) for name in ("open", "mine", "soon", "overdue")]
    return table.response("cases/cases.html", {"tabs": tabs, "may_open": _may(actor, "case.open")})


def _may(actor: Actor, permission: str) -> bool:
    return policy().decide(actor=actor, permission=permission, resource=None).allowed


@require_GET
@page("case.read", own=True)
def case(request: HttpRequest, number: str) -> HttpResponse:
    """One case."""
    actor = reader(request)
    return show(request, "cases/case.html", context_of(case_by_number(actor, number), actor))


@require_GET
@page("case.read", own=True)
def changed(request: HttpRequest, number: str) -> HttpResponse:
    """Whether a case went on since `?seen=`: pages say so and leave it to the reader to reload."""
    found = case_by_number(reader(request), number)
    last = found.run.events.count() if found.run else 0
    return show(request, "cases/changed.html", {"case": found, "newer": str(last) != request.GET.get("seen")})


@require_POST
@page("case.read", own=True)
def act(request: HttpRequest, number: str, what: str) -> HttpResponse:
    """Whatever is done to a case from a page: a move, or one of the words of submission.py. Errors come back beside the fields."""
    actor = reader(request)
    found = case_by_number(actor, number)
    phone = request.POST.get("face") == "phone"
    made = submit(request, actor, found, what)
    if isinstance(made, Submission):
        template = "cases/task.html" if phone else "cases/case.html"
        return show(request, template, context_of(found, actor, made), status=made.status)
    messages.success(request, made, extra_tags=f"{found.number}-{what}")  # the name of its draft, which has done its service
    return HttpResponseRedirect("/m/tasks" if phone else f"/cases/{found.number}")


@require_GET
@page("case.read", own=True)
def tasks(request: HttpRequest) -> HttpResponse:
    """My tasks, the most urgent first."""
    actor = reader(request)
    found = readable(actor).filter(waits_for(actor)).order_by("first_due", "opened_at")
    return show(request, "cases/tasks.html", {"tasks": [(each, first_deadline(each)) for each in found[:100]]})


@require_GET
@page("case.read", own=True)
def task(request: HttpRequest, number: str) -> HttpResponse:
    """One task a page."""
    actor = reader(request)
    return show(request, "cases/task.html", context_of(case_by_number(actor, number), actor))


urlpatterns = [
    path("cases", cases),
    path("cases/new", new),
    path("cases/<str:number>", case),
    path("cases/<str:number>/changed", changed),
    path("cases/<str:number>/do/<slug:what>", act),
    path("m/tasks", tasks),
    path("m/tasks/<str:number>", task),
]
