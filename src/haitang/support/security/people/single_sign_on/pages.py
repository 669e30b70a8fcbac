"""Pages and addresses of single sign-on in both directions, and the list of client systems."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InsecureTransportError, InvalidRequestError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.errors import HaitangError
from haitang.base.shell.navigation import entry
from haitang.base.shell.views import failed, page, show
from haitang.base.text import T, sentence_of
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people import sessions
from haitang.support.security.people.factors import entrance
from haitang.support.security.people.identity import actor, hurdle
from haitang.support.security.people.models import Person
from haitang.support.security.people.pages import where_next
from haitang.support.security.people.single_sign_on import actions, keys, outside, provider
from haitang.support.security.people.single_sign_on.claims import claims
from haitang.support.security.people.single_sign_on.models import SCOPES, TOKEN, ClientSystem, Consent, Token

entry("client_systems", title="对接系统", url="/client-systems", icon="plug", group="run", order=30, permission="people.register_client")

LEARNS = {
    "openid": T("一个只用于该系统的编号"),
    "profile": T("姓名和用户名"),
    "email": T("电子邮件"),
    "phone": T("手机号"),
    "organization": T("所在机构和工号"),
}


@require_GET
def to_outside(request: HttpRequest) -> HttpResponse:
    """Off to the outside provider."""
    try:
        return HttpResponseRedirect(outside.start(request, where_next(request)))
    except HaitangError as refused:
        return failed(request, refused)


@require_GET
def from_outside(request: HttpRequest) -> HttpResponse:
    """Back from the outside provider: a factor of ours still counts, hurdles too."""
    try:
        found, hint, wanted = outside.finish(request)
    except HaitangError as refused:
        return show(request, "people/sign_in.html", {"next": "/", "problem": sentence_of(refused)}, status=refused.status)
    if not entrance.begin(request, found, by="oidc"):
        request.session[outside.HINT] = hint
        return HttpResponseRedirect(f"/sign-in/factor?{urlencode({'next': wanted})}")
    request.session[outside.HINT] = hint
    return HttpResponseRedirect(hurdle(request) or wanted)


@require_GET
def configuration(request: HttpRequest) -> JsonResponse:
    return JsonResponse(provider.metadata())


@require_GET
def jwks(request: HttpRequest) -> JsonResponse:
    return JsonResponse(keys.published())


@require_http_methods(["GET", "POST"])
def authorize(request: HttpRequest) -> HttpResponse:
    """A browser that another system sent: signed in first, asked once what the system may learn, then back with a code."""
    server = provider.server()
    who = request.user if isinstance(request.user, Person) and request.user.is_active and not hurdle(request) else None
    try:
        if not request.GET.get("redirect_uri"):  # Core 3.1.2.1 asks for it, even where one is registered
            raise InvalidRequestError("redirect_uri is required")
        asked = server.get_consent_grant(request, end_user=who)
    except InsecureTransportError as wrong:
        return _insecure(wrong)
    except OAuth2Error as wrong:
        return server.handle_error_response(server.create_oauth2_request(request), wrong)  # type: ignore[no-any-return]
    silent, stale = "none" in request.GET.get("prompt", "").split(), _older_than_asked(request)
    if stale and silent:
        return _back_with_error(request, "login_required")
    if who is None or stale or (asked.prompt == "login" and not _just_signed_in(request)):
        if who is not None:
            sessions.sign_out(request)  # the system wants a fresh proof
        return HttpResponseRedirect(f"/sign-in?{urlencode({'next': request.get_full_path()})}")
    client, scope = asked.request.client, asked.request.scope
    if request.method == "GET" and (asked.prompt == "consent" or not _agreed(who, client, scope)):
        if silent:
            return _back_with_error(request, "consent_required")
        learns = [LEARNS[each] for each in scope.split()]
        return show(
            request, "people/consent.html", {"client": client, "host": urlsplit(client.redirect_uris[0]).hostname, "learns": learns}
        )
    refused = request.method == "POST" and request.POST.get("do") != "agree"
    with transaction.atomic():
        answer: HttpResponse = server.create_authorization_response(asked.request, grant_user=None if refused else who, grant=asked)
    if "Location" in answer.headers:
        at = answer.headers["Location"]
        answer.headers["Location"] = f"{at}{'&' if '?' in at else '?'}{urlencode({'iss': provider.issuer()})}"
    return answer


def _just_signed_in(request: HttpRequest) -> bool:
    """Whether `prompt=login` was answered: the session began a moment ago."""
    row = getattr(request.session, "row", None)
    return row is not None and row.started_at > clock.now() - timedelta(minutes=1)


def _older_than_asked(request: HttpRequest) -> bool:
    """Whether the proof is older than the system's `max_age` in seconds (Core 3.1.2.1). A sign-in of this minute is always young enough, or there were no end."""
    asked, proved = request.GET.get("max_age", ""), request.session.get("proved")
    if not (proved and asked.isascii() and asked.isdigit() and len(asked) < 10):
        return False
    return clock.now() - datetime.fromisoformat(proved) > timedelta(seconds=max(60, int(asked)))


def _back_with_error(request: HttpRequest, code: str) -> HttpResponse:
    said = {"error": code, "state": request.GET.get("state", ""), "iss": provider.issuer()}
    at = request.GET["redirect_uri"]
    return HttpResponseRedirect(f"{at}{'&' if '?' in at else '?'}{urlencode(said)}")


def _agreed(who: Person, client: ClientSystem, scope: str) -> bool:
    found = Consent.objects.filter(person=who, client=client).first()
    return found is not None and set(scope.split()) <= set(found.scopes)


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A system changes a code into tokens; it authenticates by its secret."""
    try:
        with transaction.atomic():
            return provider.server().create_token_response(request)  # type: ignore[no-any-return]
    except InsecureTransportError as wrong:
        return _insecure(wrong)


def _insecure(wrong: OAuth2Error) -> JsonResponse:
    """OAuth goes over HTTPS, but on the machine itself: set public_url to an https address."""
    return JsonResponse({"error": wrong.error, "error_description": wrong.get_error_description()}, status=400)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def userinfo(request: HttpRequest) -> HttpResponse:
    """Who signed in, for as long as they are."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer" and given:
        found = Token.objects.select_related("code__client", "code__person").filter(digest=keyed_digest(given, TOKEN)).first()
    if found is None or not found.is_good():
        return JsonResponse({"error": "invalid_token"}, status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return JsonResponse(claims(found.code.client, found.code.person, found.code.scope), headers={"Cache-Control": "no-store"})


@require_http_methods(["GET", "POST"])
def end_session(request: HttpRequest) -> HttpResponse:
    """RP-initiated logout: the person says so here, then goes back to where the system registered."""
    told = request.POST if request.method == "POST" else request.GET
    wanted, client_id = told.get("post_logout_redirect_uri", ""), told.get("client_id", "")
    client = provider.server().query_client(client_id) if client_id else None
    back = wanted if client is not None and wanted in client.after_sign_out else ""
    if request.method == "GET" and isinstance(request.user, Person):
        return show(request, "people/end_session.html", {"client": client, "client_id": client_id, "back": back})
    sessions.sign_out(request)
    if back and told.get("state"):
        back = f"{back}{'&' if '?' in back else '?'}{urlencode({'state': told['state']})}"
    return HttpResponseRedirect(back or "/sign-in")


@require_http_methods(["GET", "POST"])
@page("people.register_client")
def client_systems(request: HttpRequest) -> HttpResponse:
    """Systems that let people sign in by us."""
    context: dict[str, Any] = {
        "learns": {s: LEARNS[s] for s in SCOPES if s != "openid"},
        "issuer": provider.issuer(),
        "typed": request.POST,
    }
    if request.method == "POST":
        try:
            with acting(actor(request)) as act:
                made, secret = actions.register_client(
                    act=act, title=request.POST.get("title", ""), redirect_uris=request.POST.get("redirect_uris", "").split(),
                    after_sign_out=request.POST.get("after_sign_out", "").split(), scopes=request.POST.getlist("scopes"),
                )  # fmt: skip
            context |= {"made": made, "secret": secret, "typed": {}}
        except HaitangError as refused:
            if refused.code == "base.needs_proof":
                raise
            context["problem"] = sentence_of(refused)
    return show(request, "people/client_systems.html", {**context, "clients": ClientSystem.objects.order_by("-registered_at")})


@require_POST
@page("people.register_client")
def change_client(request: HttpRequest, id: UUID) -> HttpResponse:
    found = ClientSystem.objects.filter(pk=id).first()
    if found is None:
        raise actions.NO_CLIENT()
    with acting(actor(request)) as act:
        actions.set_client_active(act=act, client=found, active=request.POST.get("do") == "on")
    return HttpResponseRedirect("/client-systems")


@require_POST
@page("people.rotate_identity_key")
def rotate(request: HttpRequest) -> HttpResponse:
    with acting(actor(request)) as act:
        actions.rotate_key(act=act)
    return HttpResponseRedirect("/client-systems")


urlpatterns = [
    path("sign-in/outside", to_outside),
    path("sign-in/outside/done", from_outside),
    path(".well-known/openid-configuration", configuration),
    path("oidc/jwks", jwks),
    path("oidc/authorize", authorize),
    path("oidc/token", token),
    path("oidc/userinfo", userinfo),
    path("oidc/end-session", end_session),
    path("client-systems", client_systems),
    path("client-systems/key", rotate),
    path("client-systems/<uuid:id>", change_client),
]
