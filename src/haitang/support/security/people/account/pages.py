"""Pages: my account and my sessions."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

from haitang.base.actions import acting
from haitang.base.shell.views import page, show
from haitang.base.text import T, translate
from haitang.support.security.people import actions
from haitang.support.security.people.devices import shown
from haitang.support.security.people.factors.queries import factors_of
from haitang.support.security.people.identity import actor, person
from haitang.support.security.people.queries import sessions_of

OWN = "one's own account is everybody's"


@require_GET
@page(anyone=OWN)
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, how I sign in, where I am signed in."""
    who = person(request)
    key = request.session.session_key
    context = {
        "who": who,
        "factors": factors_of(who),
        "sessions": [shown(each, current=each.session_key == key) for each in sessions_of(who)],
    }
    return show(request, "people/account.html", context)


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
    path("account/sessions/end", end_others),
    path("account/sessions/<uuid:id>/end", end),
]
