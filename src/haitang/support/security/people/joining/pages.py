"""Pages: an invitation accepted, requests for roles, the import of a roster."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haitang.base import clock, ports
from haitang.base.actions import acting, may, system
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.base.shell.context import reader
from haitang.base.shell.views import failed, page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people.factors import entrance
from haitang.support.security.people.identity import actor
from haitang.support.security.people.joining import actions, roster
from haitang.support.security.people.joining.models import RoleRequest, StaffImport
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person
from haitang.support.security.people.pages import PASSWORDS_DIFFER, onward
from haitang.support.security.people.sign_in_policy import policy_for

NO_REQUEST = error("people.no_role_request", 404, "没有这项角色申请。")
NO_ROSTER = error("people.no_roster", 404, "没有这份名册，请重新上传。")
NO_FILE = error("people.no_roster_file", 400, "请选择一个 .xlsx 文件。")


def link_of(token: str) -> str:
    """The address that an invitation is."""
    return f"{settings().url}/invitation/{token}"


def send(person: Person, token: str) -> str:
    """Mail an invitation; what became of it, in words: empty where it must be handed over by hand."""
    try:
        receipt = ports.letters().send(
            to=person.email,
            title=translate(T("邀请您使用智慧城市平台")),
            text=translate(T("{name}，您好。请在七天内打开下面的链接，设置自己的密码。"), name=person.name),
            link=link_of(token),
        )
    except HaitangError as refused:
        return "" if not person.email else translate(T("邮件没有发出：{why}"), why=sentence_of(refused))
    return translate(T("邀请已发送到 {email}。"), email=person.email) if receipt else ""


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who was invited sets their own password and is signed in; a factor that their role asks for comes next."""
    try:
        found = actions.invited(token, clock.now())
        context: dict[str, Any] = {"who": found.person, "policy": policy_for(found.person.kind)}
        if request.method == "POST":
            try:
                return _accepted(request, token)
            except HaitangError as refused:
                answer = show(request, "people/invitation.html", {**context, "problem": sentence_of(refused)}, status=refused.status)
        else:
            answer = show(request, "people/invitation.html", context)
    except HaitangError as refused:
        answer = failed(request, refused)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _accepted(request: HttpRequest, token: str) -> HttpResponse:
    if request.POST.get("new") != request.POST.get("again"):
        raise PASSWORDS_DIFFER()
    with acting(system("sign-in")) as act:
        person = actions.accept(act=act, token=token, password=request.POST.get("new", ""))
    return onward(request) if entrance.begin(request, person, by="invitation") else HttpResponseRedirect("/sign-in/factor")


@require_GET
@page("people.read")
def requests(request: HttpRequest) -> HttpResponse:
    """Requests for roles that wait, and the last that were decided."""
    declared = in_force().all(Role)
    rows = RoleRequest.objects.select_related("person__organization").order_by("-asked_at")
    waiting = [(each, declared[each.role]) for each in rows.filter(decided_at=None) if each.role in declared]
    decided = [(each, declared.get(each.role)) for each in rows.filter(decided_at__isnull=False)[:20]]
    context = {"waiting": waiting, "decided": decided, "may_decide": may(reader(request), "people.decide_role")}
    return show(request, "people/requests.html", context)


@require_POST
@page("people.decide_role")
def decide(request: HttpRequest, id: UUID) -> HttpResponse:
    found = RoleRequest.objects.select_related("person").filter(pk=id).first()
    if found is None:
        raise NO_REQUEST()
    with acting(actor(request)) as act:
        actions.decide_role(act=act, request=found, approve=request.POST.get("do") == "approve")
    messages.success(request, translate(T("已办理。")))
    return HttpResponseRedirect("/people/requests")


@require_GET
@page("people.import")
def template(request: HttpRequest) -> HttpResponse:
    """The empty workbook."""
    answer = HttpResponse(roster.template(), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    answer.headers["Content-Disposition"] = 'attachment; filename="staff.xlsx"'
    return answer


@require_http_methods(["GET", "POST"])
@page("people.import")
def upload(request: HttpRequest) -> HttpResponse:
    """Choose a workbook; what it says is shown before anything is done."""
    if request.method == "GET":
        return show(request, "people/import.html", {"columns": roster.COLUMNS})
    try:
        given = request.FILES.get("file")
        if given is None:
            raise NO_FILE()
        digest, rows = roster.read(given.read(roster.LARGEST + 1))
        with acting(actor(request)) as act:
            found = actions.read_roster(act=act, name=given.name or "", digest=digest, rows=rows)
    except HaitangError as refused:
        context = {"columns": roster.COLUMNS, "problem": sentence_of(refused)}
        return show(request, "people/import.html", context, status=refused.status)
    return HttpResponseRedirect(f"/people/import/{found.pk}")


DOES = {"create": T("新建"), "update": T("更新"), "leave": T("离任"), "same": T("不变")}


@require_http_methods(["GET", "POST"])
@page("people.import")
def preview(request: HttpRequest, id: UUID) -> HttpResponse:
    """What would come of the workbook, with each error beside its cell; and then what came of it."""
    found = StaffImport.objects.filter(pk=id).first()
    if found is None:
        raise NO_ROSTER()
    made: list[tuple[Person, str]] = []
    if request.method == "POST":
        with acting(actor(request)) as act:
            made = actions.apply_roster(act=act, roster=found)
        found.refresh_from_db()
    lines = [] if found.applied_at else roster.plan(found.rows)
    context = {
        "roster": found, "columns": roster.COLUMNS, "does": DOES,
        "lines": [(line, [(line.told[name], line.errors.get(name, "")) for name in roster.COLUMNS]) for line in lines],
        "wrong": sum(1 for line in lines if line.errors),
        "counts": {DOES[what]: found.counts.get(what, 0) if found.applied_at else sum(line.does == what for line in lines) for what in DOES},
        "made": [(person, send(person, token) or link_of(token)) for person, token in made],
    }  # fmt: skip
    return show(request, "people/roster.html", context)


urlpatterns = [
    path("invitation/<str:token>", invitation),
    path("people/requests", requests),
    path("people/requests/<uuid:id>", decide),
    path("people/import", upload),
    path("people/import/template", template),
    path("people/import/<uuid:id>", preview),
]
