"""Pages: my tokens, and every token and outside system for the security administrator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_http_methods, require_POST

from haitang.base import clock
from haitang.base.actions import Act, acting, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.base.shell.context import reader
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import page, show
from haitang.base.text import sentence_of
from haitang.support.security.people.identity import person
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person
from haitang.support.security.tokens import actions, known, queries
from haitang.support.security.tokens.models import Client, Token

entry("tokens", title="令牌与外部系统", url="/tokens/all", icon="key", group="run", order=35, permission="tokens.read")

DAYS = (30, 90, 180, 365)


def _mine(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    who = person(request)
    clients = list(queries.clients_of(who))
    context = {
        "tokens": [(t, queries.in_use(t)) for t in (*queries.tokens_of(who), *queries.tokens_of_clients(clients))],
        "clients": [(each, queries.scopes_for(known.actor_of_client(each))) for each in clients],
        "scopes": queries.scopes_for(reader(request)),
        "days": DAYS,
    }
    return show(request, "tokens/mine.html", {**context, "permissions": permissions, **more}, status=status)


@require_http_methods(["GET", "POST"])
@page(anyone="one's own tokens; making one asks policy")
def mine(request: HttpRequest) -> HttpResponse:
    """My tokens, and a form for one more; its text is shown once."""
    if request.method == "GET":
        return _mine(request)

    def made(act: Act) -> tuple[Token, str]:
        return actions.create_own_token(act=act, person=person(request), **_asked(request))

    return _made(request, made, _mine)


def _asked(request: HttpRequest) -> dict[str, Any]:
    days = request.POST.get("days", "")
    only = [word for word in request.POST.get("only", "").replace("，", ",").replace(",", " ").split() if word]
    lifetime = timedelta(days=int(days)) if days.isascii() and days.isdigit() and len(days) < 5 else timedelta()
    return {
        "title": request.POST.get("title", ""), "scopes": request.POST.getlist("scopes"), "expires_at": clock.now() + lifetime,
        "only": only or None,
    }  # fmt: skip


def _made(request: HttpRequest, make: Callable[[Act], tuple[Token, str]], back: Callable[..., HttpResponse]) -> HttpResponse:
    """Show the text of what was made, or the form again with what was wrong and what was typed."""
    try:
        with acting(reader(request)) as act:
            token, written = make(act)
    except HaitangError as refused:
        if refused.status == 403:
            raise
        return back(request, refused.status, problem=sentence_of(refused), typed=request.POST, chosen=request.POST.getlist("scopes"))
    return back(request, made=token, written=written)


@require_POST
@page(anyone="policy decides: one's own token, or the security administrator")
def change(request: HttpRequest, id: UUID) -> HttpResponse:
    """Rotate or revoke; the button pressed says which."""
    token, all_of_them = queries.one_token(id), request.POST.get("back") == "all"
    if request.POST.get("do") == "rotate":
        return _made(request, lambda act: actions.rotate_token(act=act, token=token), _all if all_of_them else _mine)
    with acting(reader(request)) as act:
        actions.revoke_token(act=act, token=token)
    return HttpResponseRedirect("/tokens/all" if all_of_them else "/tokens")


def _all(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    context = {
        "tokens": [(token, queries.in_use(token)) for token in queries.all_tokens()[:500]],
        "clients": Client.objects.select_related("organization", "responsible").order_by("title"),
        "organizations": Organization.objects.filter(active=True).order_by("id"), "roles": in_force().all(Role), "days": DAYS,
        "people": Person.objects.filter(kind="staff", is_active=True).order_by("username"), "permissions": permissions,
    }  # fmt: skip
    return show(request, "tokens/all.html", {**context, **more}, status=status)


@require_http_methods(["GET", "POST"])
@page("tokens.read")
def everything(request: HttpRequest) -> HttpResponse:
    """Every token and outside system; a form registers a system."""
    if request.method == "GET":
        return _all(request)
    asked = request.POST
    try:
        with acting(reader(request)) as act:
            actions.register_client(
                act=act, title=asked.get("title", ""), purpose=asked.get("purpose", ""), roles=asked.getlist("roles"),
                organization=Organization.objects.filter(pk=asked.get("organization", "")).first(),
                responsible=Person.objects.filter(username=asked.get("responsible", ""), kind="staff").first(),
            )  # fmt: skip
    except HaitangError as refused:
        if refused.status == 403:
            raise
        return _all(request, refused.status, problem=sentence_of(refused), typed=asked)
    return HttpResponseRedirect("/tokens/all")


@require_POST
@page(anyone="policy decides: who answers for the system makes its tokens, the security administrator switches it")
def client(request: HttpRequest, id: UUID) -> HttpResponse:
    """A new token of a system by who answers for it, or switch it off or on."""
    found = queries.one_client(id)
    if request.POST.get("do") == "token":
        return _made(request, lambda act: actions.create_client_token(act=act, client=found, **_asked(request)), _mine)
    with acting(reader(request)) as act:
        actions.set_client_active(act=act, client=found, active=request.POST.get("do") == "on")
    return HttpResponseRedirect("/tokens/all")


urlpatterns = [
    path("tokens", mine),
    path("tokens/all", everything),
    path("tokens/clients/<uuid:id>", client),
    path("tokens/<uuid:id>", change),
]
