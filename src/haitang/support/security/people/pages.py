"""Pages: sign in and out, own password, personas of a demonstration, and the administrator's list of people."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haitang.base.actions import acting, permissions
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import failed, page, show
from haitang.base.text import sentence_of
from haitang.support.security.people import actions, sessions
from haitang.support.security.people.identity import actor, person
from haitang.support.security.people.kinds import Role
from haitang.support.security.people.models import Organization, Person
from haitang.support.security.people.queries import actor_of

PASSWORDS_DIFFER = error("people.passwords_differ", 400, "两次输入的新密码不一致。")
NO_SUCH_PERSON = error("people.no_such_person", 404, "没有这个人员。")

entry("people", title="人员与角色", url="/people", icon="users", group="run", order=20, permission="people.create")


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}) else "/"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it; a one-time password leads to its change first."""
    if request.method == "GET":
        if isinstance(request.user, Person) and request.user.is_active:
            return HttpResponseRedirect("/password" if request.user.must_change_password else _next(request))
        return show(request, "people/sign_in.html", {"next": _next(request)})
    try:
        found = sessions.sign_in(request, request.POST.get("username", "").strip(), request.POST.get("password", ""))
    except HaitangError as refused:
        context = {"next": _next(request), "problem": sentence_of(refused), "username": request.POST.get("username", "")}
        return show(request, "people/sign_in.html", context, status=refused.status)
    return HttpResponseRedirect("/password" if found.must_change_password else _next(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    sessions.sign_out(request)
    return HttpResponseRedirect("/sign-in")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """Change one's own password; the session goes on under a new key."""
    try:
        who = person(request)
    except HaitangError:
        return HttpResponseRedirect("/sign-in?next=/password")
    if request.method == "GET":
        return show(request, "people/password.html", {"who": who})
    try:
        if request.POST.get("new") != request.POST.get("again"):
            raise PASSWORDS_DIFFER()
        with acting(actor_of(who)) as act:
            actions.change_password(act=act, person=who, current=request.POST.get("current", ""), new=request.POST.get("new", ""))
    except HaitangError as refused:
        return show(request, "people/password.html", {"who": who, "problem": sentence_of(refused)}, status=refused.status)
    sessions.renew(request, who)
    return HttpResponseRedirect("/")


@require_POST
def persona(request: HttpRequest, role: str) -> HttpResponse:
    """Become the made-up person of a role, in a demonstration."""
    try:
        sessions.switch_persona(request, role)
    except HaitangError as refused:
        return failed(request, refused)
    return HttpResponseRedirect(_next(request))


def _list(request: HttpRequest, **more: Any) -> HttpResponse:
    people = Person.objects.select_related("organization").prefetch_related("holdings").order_by("username")
    organizations = Organization.objects.filter(active=True).order_by("id")
    return show(request, "people/people.html", {"people": people, "organizations": organizations, "roles": in_force().all(Role), **more})


@require_http_methods(["GET", "POST"])
@page("people.create")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, and a form for one more; a new person's one-time secret is shown once."""
    if request.method == "GET":
        return _list(request)
    username, name, organization, email = (request.POST.get(part, "").strip() for part in ("username", "name", "organization", "email"))
    with acting(actor(request)) as act:
        made = actions.create_person(act=act, username=username, name=name, organization=organization or None, email=email)
        for role in request.POST.getlist("roles"):
            actions.give_role(act=act, person=made, role=role)
        secret = actions.set_password(act=act, person=made)
    return _list(request, made=made, secret=secret)


def _one(id: UUID) -> Person:
    found = Person.objects.filter(pk=id).first()
    if found is None:
        raise NO_SUCH_PERSON()
    return found


@require_POST
@page("people.create")
def change(request: HttpRequest, id: UUID) -> HttpResponse:
    """One of: give or take a role, reset the password, switch off or on. The button pressed says which."""
    who, role, secret = _one(id), request.POST.get("role", ""), None
    with acting(actor(request)) as act:
        match request.POST.get("do"):
            case "give":
                actions.give_role(act=act, person=who, role=role)
            case "take":
                actions.take_role(act=act, person=who, role=role)
            case "reset":
                secret = actions.set_password(act=act, person=who)
            case "on" | "off" as state:
                actions.set_active(act=act, person=who, active=state == "on")
    return _list(request, made=who, secret=secret) if secret else HttpResponseRedirect("/people")


@require_GET
@page(anyone="what a role may do is told to everybody who works here; no person is named")
def roles(request: HttpRequest) -> HttpResponse:
    """Every role and what it may do."""
    return show(request, "people/roles.html", {"roles": in_force().all(Role), "permissions": permissions})


urlpatterns = [
    path("sign-in", sign_in),
    path("sign-out", sign_out),
    path("password", password),
    path("personas/<slug:role>", persona),
    path("people", people),
    path("people/roles", roles),
    path("people/<uuid:id>", change),
]
