"""Pages: the second step of signing in, and my factors. What the browser's passkey dialogue needs is asked and answered as JSON."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haitang.base.actions import Act, acting
from haitang.base.errors import HaitangError, error
from haitang.base.shell.views import failed, show
from haitang.base.text import T, sentence_of, translate
from haitang.support.security.people import proof, sessions
from haitang.support.security.people.factors import actions, codes, enrolment, entrance, passkeys
from haitang.support.security.people.factors.models import Authenticator, Passkey
from haitang.support.security.people.factors.queries import factors_of
from haitang.support.security.people.identity import must_change, own_actor, person
from haitang.support.security.people.models import Person
from haitang.support.security.people.pages import onward, where_next

BAD_JSON = error("people.bad_passkey_answer", 400, "浏览器的应答无法读懂，请重试。")
ISSUER = T("海棠")

_ENROLMENT = "enrolment"
View = Callable[..., HttpResponse]


def _own(view: View) -> View:
    """A page of one's own that stands before every hurdle but the one-time password: here a factor that a role asks for is registered."""

    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if must_change(request, person(request)):
                return HttpResponseRedirect("/password")
            return view(request, *args, **kwargs)
        except HaitangError as refused:
            if refused.code == "people.not_signed_in" and request.method == "GET":
                return HttpResponseRedirect(f"/sign-in?next={request.path}")
            return _told(refused) if request.content_type == "application/json" else failed(request, refused)

    run.policy = "one's own factors"  # type: ignore[attr-defined]
    return run


def _told(refused: HaitangError) -> JsonResponse:
    return JsonResponse({"code": refused.code, "message": sentence_of(refused)}, status=refused.status)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """The code of an authenticator or a recovery code; or a passkey, by the island on the page."""
    try:
        who, _ = entrance.pending(request)
        context = {"who": who, "next": where_next(request), "factors": factors_of(who), "possible": passkeys.possible(request)}
        if request.method == "GET":
            return show(request, "people/second_step.html", context)
        try:
            entrance.finish_with_code(request, request.POST.get("code", ""))
        except HaitangError as refused:
            return show(request, "people/second_step.html", {**context, "problem": sentence_of(refused)}, status=refused.status)
    except HaitangError:
        return HttpResponseRedirect("/sign-in")
    return onward(request)


@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser asks the passkey: of who waits for a second step, of who is signed in, or of anybody."""
    try:
        waiting = entrance.pending(request)[0] if entrance.is_pending(request) else None
    except HaitangError as refused:
        return _told(refused)
    known = waiting or (request.user if isinstance(request.user, Person) else None)
    return JsonResponse(passkeys.ask_to_prove(request, known))


@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by a passkey, alone or as the second step."""
    back = where_next(request)
    try:
        entrance.enter_with_passkey(request, _body(request))
    except HaitangError as refused:
        return _told(refused)
    answer = onward(request)
    return JsonResponse({"next": answer["Location"] if answer["Location"] != "/" else back})


@require_POST
@_own
def passkey_proof(request: HttpRequest) -> HttpResponse:
    """Open sensitive actions by a passkey; the page then sends what waits."""
    entrance.use_passkey(request, _body(request), person(request))
    sessions.prove_again(request)
    return JsonResponse({"proved": True})


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.body)
    except ValueError:
        raise BAD_JSON() from None
    if not isinstance(found, dict):
        raise BAD_JSON()
    return found


@require_GET
@_own
def factors(request: HttpRequest) -> HttpResponse:
    """What I prove myself with."""
    return _factors(request)


def _factors(request: HttpRequest, problem: str = "", status: int = 200) -> HttpResponse:
    who = person(request)
    context = {
        "who": who, "factors": factors_of(who), "possible": passkeys.possible(request), "required": proof.lacks(request),
        "locked": enrolment.needs_enrolment(who) and not _opened(request), "problem": problem,
    }  # fmt: skip
    return show(request, "people/factors.html", context, status=status)


def _opened(request: HttpRequest) -> str:
    """What is kept of an enrolment code that this session entered."""
    return str(request.session.get(_ENROLMENT, ""))


@sensitive_post_parameters("code")
@require_POST
@_own
def enrol(request: HttpRequest) -> HttpResponse:
    """Enter the code that a second officer handed over."""
    try:
        with acting(own_actor(request)) as act:
            request.session[_ENROLMENT] = actions.enter_enrolment(act=act, person=person(request), code=request.POST.get("code", ""))
    except HaitangError as refused:
        if refused.kind is not enrolment.WRONG_ENROLMENT:
            raise
        return _factors(request, sentence_of(refused), refused.status)
    return HttpResponseRedirect("/account/factors")


@sensitive_post_parameters("code")
@require_POST
@_own
def authenticator(request: HttpRequest) -> HttpResponse:
    """Make an authenticator and show its QR code, or confirm it by a code of it."""
    who = person(request)
    if "code" in request.POST:
        return _confirm(request, who)
    with acting(own_actor(request)) as act:
        _, secret = actions.add_authenticator(act=act, person=who, opened=_opened(request))
    return _qr(request, who, secret)


def _confirm(request: HttpRequest, who: Person) -> HttpResponse:
    try:
        with acting(own_actor(request)) as act:
            fresh = actions.confirm_authenticator(act=act, person=who, code=request.POST["code"], opened=_opened(request))
    except HaitangError as refused:
        waiting = Authenticator.objects.filter(person=who, confirmed_at=None).first()
        if refused.kind is not actions.WRONG_CODE or waiting is None:
            raise
        return _qr(request, who, codes.secret_of(waiting), sentence_of(refused), refused.status)
    return _registered(request, who, "totp", fresh)


def _qr(request: HttpRequest, who: Person, secret: str, problem: str = "", status: int = 200) -> HttpResponse:
    address = codes.address(secret, who.username, translate(ISSUER))
    drawn: SafeString = mark_safe(segno.make(address, error="m").svg_inline(scale=5, border=3, light="#fff"))  # noqa: S308 - made by segno of our own text
    return show(request, "people/authenticator.html", {"who": who, "qr": drawn, "secret": secret, "problem": problem}, status=status)


def _registered(request: HttpRequest, who: Person, factor: str, fresh: list[str]) -> HttpResponse:
    """The session counts as opened with the factor that was just shown to work; everywhere else it is asked from now on."""
    request.session["factor"] = request.session.get("factor") or factor
    if fresh:
        return show(request, "people/recovery_codes.html", {"codes": fresh, "next": where_next(request)})
    messages.success(request, translate(T("已登记。")))
    return HttpResponseRedirect("/account/factors")


@require_POST
@_own
def register_options(request: HttpRequest) -> HttpResponse:
    """What the browser asks the device to make."""
    return JsonResponse(passkeys.ask_to_register(request, person(request), translate(ISSUER)))


@require_POST
@_own
def register(request: HttpRequest) -> HttpResponse:
    """Keep the passkey that the browser made; the recovery codes are in the answer, once."""
    who, told = person(request), _body(request)
    with acting(own_actor(request)) as act:
        fresh = actions.add_passkey(
            act=act, person=who, registered=passkeys.registered(request, told), title=str(told.get("title", "")), opened=_opened(request)
        )
    request.session["factor"] = request.session.get("factor") or "passkey"
    return JsonResponse({"next": "/account/factors", "codes": fresh})


@require_POST
@_own
def remove(request: HttpRequest, id: UUID) -> HttpResponse:
    """Take away one of my factors."""
    who = person(request)
    found: Authenticator | Passkey | None = (
        Authenticator.objects.filter(person=who, pk=id).first() or Passkey.objects.filter(person=who, pk=id).first()
    )
    if found is None:
        raise actions.NOT_YOURS()
    _act(request, lambda act: actions.remove_factor(act=act, person=who, factor=found))
    if not factors_of(who):
        request.session["factor"] = ""
    messages.success(request, translate(T("已移除。")))
    return HttpResponseRedirect("/account/factors")


def _act(request: HttpRequest, does: Callable[[Act], None]) -> None:
    with acting(own_actor(request)) as act:
        does(act)


@require_POST
@_own
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Ten new codes, shown once."""
    with acting(own_actor(request)) as act:
        fresh = actions.new_recovery_codes(act=act, person=person(request))
    return show(request, "people/recovery_codes.html", {"codes": fresh, "next": "/account/factors"})


urlpatterns = [
    path("sign-in/factor", second_step),
    path("sign-in/passkey/options", passkey_options),
    path("sign-in/passkey", passkey_sign_in),
    path("prove/passkey", passkey_proof),
    path("account/factors", factors),
    path("account/factors/enrolment", enrol),
    path("account/factors/authenticator", authenticator),
    path("account/factors/passkey/options", register_options),
    path("account/factors/passkey", register),
    path("account/factors/codes", recovery_codes),
    path("account/factors/<uuid:id>/remove", remove),
]
