"""Pages: the screens and their grants; and, at the screen itself, the code that opens it."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError, error
from haitang.base.settings import settings
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people import sessions, throttle
from haitang.support.security.people.identity import actor
from haitang.support.security.people.models import STAFF
from haitang.support.security.people.sign_in_policy import policy_for
from haitang.support.security.people.walls import actions
from haitang.support.security.people.walls.models import Wall
from haitang.support.security.people.walls.queries import screens, wall_with

WRONG_CODE = error("people.wrong_wall_code", 400, "代码不正确、已使用或已过期。请安全管理员重新发放。")
DAYS = (1, 7, 30, 90, 180, 365)

entry("walls", title="大屏授权", url="/walls", icon="device-tv", group="run", order=37, permission="people.grant_wall")


def _show(request: HttpRequest, status: int = 200, **more: object) -> HttpResponse:
    days = [each for each in DAYS if timedelta(days=each) <= actions.longest()] or [max(1, actions.longest().days)]
    return show(
        request, "people/walls.html", {"screens": screens(), "days": days, "address": f"{settings().url}/wall/open", **more}, status=status
    )


@require_http_methods(["GET", "POST"])
@page("people.grant_wall")
def walls(request: HttpRequest) -> HttpResponse:
    """Every screen, and a form for one more; its code is shown once."""
    if request.method == "GET":
        return _show(request)
    days = request.POST.get("days", "")
    lasts = timedelta(days=int(days)) if days.isascii() and days.isdigit() and len(days) < 5 else timedelta()
    try:
        with acting(actor(request)) as act:
            made, code = actions.grant_wall(act=act, title=request.POST.get("title", ""), lasts=lasts, cases="cases" in request.POST)
    except HaitangError as refused:
        if refused.status == 403:
            raise
        return _show(request, refused.status, problem=sentence_of(refused), typed=request.POST)
    return _show(request, made=made, code=code)


@require_POST
@page("people.grant_wall")
def change(request: HttpRequest, id: UUID) -> HttpResponse:
    """A new code, or the end; the button pressed says which."""
    found: Wall = wall_with(id)
    with acting(actor(request)) as act:
        if request.POST.get("do") == "code":
            return _show(request, made=found, code=actions.new_code(act=act, wall=found))
        actions.revoke_wall(act=act, wall=found)
    messages.success(request, translate(T("已撤销，屏幕随即退出。")))
    return HttpResponseRedirect("/walls")


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def open_wall(request: HttpRequest) -> HttpResponse:
    """Typed at the screen: the code becomes its session."""
    if request.method == "GET":
        return show(request, "people/open_wall.html")
    try:
        _open(request, request.POST.get("code", ""))
    except HaitangError as refused:
        return show(request, "people/open_wall.html", {"problem": sentence_of(refused)}, status=refused.status)
    return HttpResponseRedirect("/wall")


def _open(request: HttpRequest, code: str) -> None:
    counted = [f"address:{sessions.address_of(request)}"]
    if throttle.blocked_until(counted, clock.now()):
        raise sessions.locked(counted)
    with acting(system("sign-in")) as act:
        found = actions.open_wall(act=act, code=code)
        if found is None:
            throttle.failed(counted, policy_for(STAFF), act.at)
    if found is None:
        raise WRONG_CODE()
    sessions.open_wall(request, found.pk, found.ends_at)


urlpatterns = [path("walls", walls), path("walls/<uuid:id>", change), path("wall/open", open_wall)]
