"""Signing in by an outside OpenID provider that the settings name: discovery, authorization code with PKCE, state and nonce.

A claim leads to a person who is there already, by the declared rule (`oidc_link`: claim=field); nobody is created, and no role comes with a claim.
"""

import hmac
import secrets
from typing import Any
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.http import HttpRequest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from haitang.base import clock
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.security.outgoing import guard as outgoing
from haitang.support.security.people.models import STAFF, Person

NOT_SET_UP = error("people.outside_not_set_up", 404, "本系统没有设置外部统一身份认证。")
UNREACHABLE = error("people.outside_unreachable", 502, "统一身份认证暂时无法访问：{reason}。请稍后再试，或用密码登录。")
REFUSED = error("people.outside_refused", 401, "统一身份认证没有通过：{reason}。请重新登录。")
NOBODY = error("people.outside_nobody", 403, "统一身份认证中的账号没有对应的工作人员（{field}）。请联系系统管理员核对工号。")

FLOW, HINT = "outside_flow", "outside_hint"
FIELDS = ("staff_number", "username", "email")
ALGORITHMS = ["RS256", "ES256", "PS256", "RS384", "ES384", "RS512", "EdDSA"]
_SECONDS, _LEEWAY = 10.0, 60


def title() -> str:
    """What the button on the sign-in page says; empty where nothing is set up."""
    return settings().oidc_title if settings().oidc_issuer else ""


def discover() -> dict[str, Any]:
    """The provider's metadata; it must name the issuer that was asked (Discovery 4.3)."""
    issuer = settings().oidc_issuer
    if not issuer:
        raise NOT_SET_UP()
    found = _get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != issuer:
        raise REFUSED(reason=f"issuer {found.get('issuer')}")
    return found


def _get(url: str, **more: Any) -> dict[str, Any]:
    try:
        return dict(outgoing.get(url, timeout=_SECONDS, **more).raise_for_status().json())
    except (httpx.HTTPError, ValueError) as wrong:
        raise UNREACHABLE(reason=str(wrong)) from None


def redirect_uri() -> str:
    return f"{settings().url.rstrip('/')}/sign-in/outside/done"


def start(request: HttpRequest, wanted: str) -> str:
    """Where the browser goes; what it must come back with waits in the session."""
    at, verifier = discover()["authorization_endpoint"], secrets.token_urlsafe(48)
    flow = {"state": secrets.token_urlsafe(24), "nonce": secrets.token_urlsafe(24), "verifier": verifier, "next": wanted}
    request.session[FLOW] = flow
    asked = {
        "response_type": "code", "client_id": settings().oidc_client_id, "redirect_uri": redirect_uri(), "scope": settings().oidc_scope,
        "state": flow["state"], "nonce": flow["nonce"], "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}"


def finish(request: HttpRequest) -> tuple[Person, str, str]:
    """(person, identity token, where they wanted to go) of a browser that came back. Raises REFUSED, UNREACHABLE, NOBODY."""
    flow, back = request.session.pop(FLOW, None), request.GET
    if flow is None or not hmac.compare_digest(flow["state"].encode(), back.get("state", "").encode()):
        raise REFUSED(reason="state")
    if back.get("error"):
        raise REFUSED(reason=str(back["error"])[:80])
    told = discover()
    if back.get("iss", told["issuer"]) != told["issuer"]:  # RFC 9207: mixed up with another provider
        raise REFUSED(reason="iss")
    given = _exchange(told, back.get("code", ""), flow["verifier"])
    said = _read(told, str(given.get("id_token", "")), flow["nonce"])
    if "userinfo_endpoint" in told and given.get("access_token"):
        more = _get(told["userinfo_endpoint"], headers={"Authorization": f"Bearer {given['access_token']}"})
        if more.get("sub") == said["sub"]:
            said = {**more, **said}
    return person_of(said), str(given["id_token"]), flow["next"]


def _exchange(told: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
    body = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri(), "code_verifier": verifier}
    try:
        answer = outgoing.post(
            told["token_endpoint"], data=body, auth=(settings().oidc_client_id, settings().oidc_client_secret), timeout=_SECONDS
        )
        found = dict(answer.json())
    except (httpx.HTTPError, ValueError) as wrong:
        raise UNREACHABLE(reason=str(wrong)) from None
    if answer.is_error:
        raise REFUSED(reason=str(found.get("error", answer.status_code))[:80])
    return found


def _read(told: dict[str, Any], token: str, nonce: str) -> dict[str, Any]:
    """The claims of an identity token whose signature, issuer, audience, time and nonce hold (Core 3.1.3.7)."""
    try:
        keys = KeySet.import_key_set(_get(told["jwks_uri"]))  # type: ignore[arg-type]
        claims = dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)
        jwt.JWTClaimsRegistry(
            now=int(clock.now().timestamp()), leeway=_LEEWAY,
            iss={"essential": True, "value": told["issuer"]}, aud={"essential": True, "value": settings().oidc_client_id},
            exp={"essential": True}, nonce={"essential": True, "value": nonce}, sub={"essential": True},
        ).validate(claims)  # fmt: skip
    except (JoseError, ValueError) as wrong:
        raise REFUSED(reason=str(wrong)[:80]) from None
    if claims.get("azp", settings().oidc_client_id) != settings().oidc_client_id:
        raise REFUSED(reason="azp")
    return claims


def person_of(claims: dict[str, Any]) -> Person:
    """The member of staff whom the rule leads to; raises NOBODY."""
    claim, _, field = settings().oidc_link.partition("=")
    value = str(claims.get(claim) or "")
    if field not in FIELDS or not value or (field == "email" and claims.get("email_verified") is not True):
        raise NOBODY(field=claim)
    found = list(Person.objects.filter(**{field: value}, kind=STAFF, is_active=True)[:2])
    if len(found) != 1:
        raise NOBODY(field=claim)
    return found[0]


def sign_out_address(hint: str) -> str:
    """Where the browser goes to end the session there too; empty where the provider has no such address."""
    at = discover().get("end_session_endpoint", "")
    asked = {
        "id_token_hint": hint,
        "post_logout_redirect_uri": f"{settings().url.rstrip('/')}/sign-in",
        "client_id": settings().oidc_client_id,
    }
    return f"{at}?{urlencode(asked)}" if at else ""
