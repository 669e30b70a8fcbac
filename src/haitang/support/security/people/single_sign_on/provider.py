"""Haitang as OpenID provider: authorization code with PKCE (S256), no other flow. The protocol is authlib's; what it keeps is ours."""

from datetime import datetime, timedelta
from typing import Any

from authlib.integrations.django_oauth2 import AuthorizationServer
from authlib.integrations.django_oauth2.requests import DjangoOAuth2Payload, DjangoOAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from haitang.base import clock
from haitang.base.actions import acting
from haitang.base.settings import settings
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people.identity import own_actor
from haitang.support.security.people.models import Person
from haitang.support.security.people.single_sign_on import actions, keys
from haitang.support.security.people.single_sign_on.claims import claims
from haitang.support.security.people.single_sign_on.models import CODE, SCOPES, TOKEN, ClientSystem, Code, Token

TOKEN_LASTS = 600


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes and tokens are kept as digests; a code that comes twice withdraws what it gave."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def save_authorization_code(self, code: str, request: Any) -> None:
        web: HttpRequest = request._request
        payload, session = request.payload.data, web.session
        with acting(own_actor(web)) as act:
            actions.grant(
                act=act, person=request.user, client=request.client, code=code, session=str(session.get("id")),
                redirect_uri=payload["redirect_uri"], scope=request.scope, nonce=payload.get("nonce", ""), challenge=payload["code_challenge"],
                method=payload["code_challenge_method"], auth_time=_auth_time(session), amr=_amr(session),
            )  # fmt: skip

    def query_authorization_code(self, code: str, client: ClientSystem) -> Code | None:
        found = Code.objects.select_for_update().filter(digest=keyed_digest(code, CODE), client=client).first()
        if found is not None and found.used_at is not None:
            actions.withdraw(found)
            return None
        return found if found is not None and found.expires_at > clock.now() else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        Code.objects.filter(pk=authorization_code.pk).update(used_at=clock.now())

    def authenticate_user(self, authorization_code: Code) -> Person | None:
        return authorization_code.person if authorization_code.person.is_active else None


class PKCE(CodeChallenge):  # type: ignore[misc]
    """Required of everyone, and S256 only (RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge with method S256 is required")
        super().validate_code_challenge(grant, redirect_uri)


class Identity(OpenIDCode):  # type: ignore[misc]
    """The identity token."""

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return Code.objects.filter(client_id=request.payload.client_id, nonce=nonce).exists()

    def generate_user_info(self, user: Person, scope: str) -> dict[str, Any]:
        """Only the subject: the rest is asked at userinfo, while the session lasts."""
        return {"sub": ""}

    def encode_id_token(self, token: dict[str, Any], request: Any) -> str:
        from joserfc import jwt

        key, code, now = keys.signing_key(), request.authorization_code, int(clock.now().timestamp())
        said = {
            "iss": issuer(), "aud": str(request.client.pk), "iat": now, "exp": now + TOKEN_LASTS, "sid": str(code.session),
            **self.get_authorization_code_claims(code), "sub": claims(request.client, request.user, "openid")["sub"],
        }  # fmt: skip
        return str(jwt.encode({"alg": keys.ALGORITHM, "kid": key.kid}, said, key))


class Asked(DjangoOAuth2Request):  # type: ignore[misc]
    """A request at our public address: behind a proxy that ends TLS, the address that Django sees is not the one that the browser used."""

    def __init__(self, request: HttpRequest) -> None:
        OAuth2Request.__init__(self, method=request.method, uri=f"{issuer()}{request.get_full_path()}", headers=request.headers)
        self.payload = DjangoOAuth2Payload(request)
        self._request = request


class Server(AuthorizationServer):  # type: ignore[misc]
    """authlib's server over our tables."""

    def create_oauth2_request(self, request: HttpRequest) -> Asked:
        return Asked(request)

    def query_client(self, client_id: str) -> ClientSystem | None:
        try:
            return ClientSystem.objects.filter(pk=client_id, active=True).first()
        except (ValueError, ValidationError):  # what is no UUID names no client
            return None

    def save_token(self, token: dict[str, Any], request: Any) -> None:
        token["expires_in"] = TOKEN_LASTS
        expires = clock.now() + timedelta(seconds=TOKEN_LASTS)
        Token.objects.create(digest=keyed_digest(token["access_token"], TOKEN), code=request.authorization_code, expires_at=expires)


def _auth_time(session: Any) -> int:
    return int(datetime.fromisoformat(session["proved"]).timestamp())


def _amr(session: Any) -> list[str]:
    """RFC 8176 words for how the session was opened."""
    first = {"password": "pwd", "passkey": "hwk"}.get(session.get("by", ""), "pwd")
    second = {"totp": "otp", "recovery": "otp", "passkey": "hwk"}.get(session.get("factor", ""), "")
    return list(dict.fromkeys([first, *([second, "mfa"] if second else [])]))


def issuer() -> str:
    return settings().url.rstrip("/")


def metadata() -> dict[str, Any]:
    """The discovery document (OpenID Connect Discovery 1.0)."""
    at = issuer()
    return {
        "issuer": at, "authorization_endpoint": f"{at}/oidc/authorize", "token_endpoint": f"{at}/oidc/token",
        "userinfo_endpoint": f"{at}/oidc/userinfo", "jwks_uri": f"{at}/oidc/jwks", "end_session_endpoint": f"{at}/oidc/end-session",
        "scopes_supported": list(SCOPES), "response_types_supported": ["code"], "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"], "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [keys.ALGORITHM], "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "claims_supported": ["sub", "name", "preferred_username", "email", "phone_number", "organization", "staff_number"],
        "authorization_response_iss_parameter_supported": True,
    }  # fmt: skip


def server() -> Server:
    """Made for each request: authlib keeps nothing between them that we need."""
    made = Server(ClientSystem, Token)
    made.register_grant(CodeGrant, [Identity(), PKCE(required=True)])
    return made
