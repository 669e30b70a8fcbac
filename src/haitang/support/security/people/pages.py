"""Pages: sign in and out, own password, proof of identity, personas of a demonstration, roles."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haitang.base import clock
from haitang.base.actions import acting, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.shell.views import failed, page, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people import actions, proof, sessions
from haitang.support.security.people.factors import entrance, passkeys
from haitang.support.security.people.identity import hurdle, person
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Person
from haitang.support.security.people.passwords import days_left, too_old
from haitang.support.security.people.queries import actor_of
from haitang.support.security.people.sign_in_policy import policy_for
from haitang.support.security.people.single_sign_on import outside

WARN_DAYS = 14
PASSWORDS_DIFFER = error("people.passwords_differ", 400, "两次输入的新密码不一致。")


def where_next(request: HttpRequest) -> str:
    """The address of ours that the reader wanted to go to."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}) else "/"


def onward(request: HttpRequest) -> HttpResponseRedirect:
    """Over the hurdles that still stand before the reader, or where they wanted to go."""
    who, before = person(request), hurdle(request)
    left = days_left(who, policy_for(who.kind), clock.now())
    if not before and not who.synthetic and left is not None and left <= WARN_DAYS:
        messages.warning(request, translate(T("密码还有 {n} 天到期，到期后须先修改才能继续使用。"), n=left))
    return HttpResponseRedirect(before or where_next(request))


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it; a one-time password leads to its change first."""
    if request.method == "GET":
        if isinstance(request.user, Person) and request.user.is_active:
            return onward(request)
        return show(request, "people/sign_in.html", {"next": where_next(request), "possible": passkeys.possible(request)})
    try:
        found = sessions.check(request, request.POST.get("username", "").strip(), request.POST.get("password", ""))
    except HaitangError as refused:
        context = {"next": where_next(request), "problem": sentence_of(refused), "username": request.POST.get("username", "")}
        return show(request, "people/sign_in.html", context, status=refused.status)
    if not entrance.begin(request, found, by="password"):
        return HttpResponseRedirect(f"/sign-in/factor?{urlencode({'next': where_next(request)})}")
    return onward(request)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    hint = request.session.get(outside.HINT, "")
    sessions.sign_out(request)
    try:
        return HttpResponseRedirect(outside.sign_out_address(hint) if hint else "/sign-in")
    except HaitangError:  # the provider is away: signed out here all the same
        return HttpResponseRedirect("/sign-in")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; the session goes on under a new key, every other one ends."""
    try:
        who = person(request)
    except HaitangError:
        return HttpResponseRedirect("/sign-in?next=/password")
    policy = policy_for(who.kind)
    context = {"who": who, "policy": policy, "too_old": not who.must_change_password and too_old(who, policy, clock.now())}
    if request.method == "GET":
        return show(request, "people/password.html", context)
    try:
        if request.POST.get("new") != request.POST.get("again"):
            raise PASSWORDS_DIFFER()
        proof.check_password(request, who, request.POST.get("current", ""), wrong=actions.WRONG_PASSWORD)
        with acting(actor_of(who)) as act:
            actions.change_password(
                act=act, person=who, current=request.POST.get("current", ""), new=request.POST.get("new", ""),
                keep=request.session.session_key or "",
            )  # fmt: skip
    except HaitangError as refused:
        return show(request, "people/password.html", {**context, "problem": sentence_of(refused)}, status=refused.status)
    sessions.renew(request, who)
    return onward(request)


@sensitive_post_parameters()
@require_POST
def prove(request: HttpRequest) -> HttpResponse:
    """Answer the question that a sensitive action asks."""
    try:
        return proof.answer(request)
    except HaitangError as refused:
        return failed(request, refused)


@require_POST
def persona(request: HttpRequest, role: str) -> HttpResponse:
    """Become the made-up person of a role, in a demonstration."""
    try:
        sessions.switch_persona(request, role)
    except HaitangError as refused:
        return failed(request, refused)
    return HttpResponseRedirect(where_next(request))


@require_GET
@page(anyone="what a role may do is told to everybody who works here; no person is named")
def roles(request: HttpRequest) -> HttpResponse:
    """Every role and what it may do."""
    return show(request, "people/roles.html", {"roles": in_force().all(Role), "permissions": permissions})


urlpatterns = [
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("password", password),
    path("prove", prove),
    path("personas/<slug:role>", persona),
    path("people/roles", roles),
]
