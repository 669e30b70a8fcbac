"""Pages: my account and my sessions."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.support.security.people import actions
from haitang.support.security.people.devices import shown
from haitang.support.security.people.factors.queries import factors_of
from haitang.support.security.people.handing_over.actions import change_own
from haitang.support.security.people.identity import actor, person
from haitang.support.security.people.passwords import days_left
from haitang.support.security.people.queries import happenings, roles_in_words, sessions_of
from haitang.support.security.people.sign_in_policy import policy_for
from haitang.support.security.people.told import wrong_ways

OWN = "one's own account is everybody's"


@require_GET
@page(anyone=OWN)
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, how I sign in, where I am signed in."""
    return _show(request)


def _show(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    who = person(request)
    key = request.session.session_key
    context = {
        "who": who,
        "password_days": days_left(who, policy_for(who.kind), clock.now()),
        "typed": {"email": who.email, "mobile": who.mobile},
        "factors": factors_of(who),
        "roles": roles_in_words(who),
        "happenings": happenings(who),
        "sessions": [shown(each, current=each.session_key == key) for each in sessions_of(who)],
        **more,
    }
    return show(request, "people/account.html", context, status=status)


@require_POST
@page(anyone=OWN)
def change(request: HttpRequest) -> HttpResponse:
    """My e-mail address and mobile number."""
    typed = {name: request.POST.get(name, "").strip() for name in ("email", "mobile")}
    if wrong := dict(wrong_ways(typed)):
        return _show(request, 400, typed=typed, wrong=wrong)
    with acting(actor(request)) as act:
        change_own(act=act, person=person(request), **typed)
    messages.success(request, translate(T("联系方式已保存。")))
    return HttpResponseRedirect("/account")


@require_POST
@page(anyone=OWN)
def end(request: HttpRequest, id: UUID) -> HttpResponse:
    """End one of my sessions."""
    who = person(request)
    with acting(actor(request)) as act:
        actions.end_own_sessions(act=act, person=who, session=sessions_of(who).filter(id=id).first() or actions.no_session())
    messages.success(request, translate(T("已结束该登录。")))
    return HttpResponseRedirect("/account")


@require_POST
@page(anyone=OWN)
def end_others(request: HttpRequest) -> HttpResponse:
    """End every session of mine but this one."""
    with acting(actor(request)) as act:
        ended = actions.end_own_sessions(act=act, person=person(request), keep=request.session.session_key or "")
    messages.success(request, translate(T("已结束其他 {n} 个登录。"), n=ended))
    return HttpResponseRedirect("/account")


urlpatterns = [
    path("account", account),
    path("account/change", change),
    path("account/sessions/end", end_others),
    path("account/sessions/<uuid:id>/end", end),
]
