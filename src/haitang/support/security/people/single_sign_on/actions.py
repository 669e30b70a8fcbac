"""Writes: register client systems, agree, sign in to one."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.security.cryptography.small_secrets import keyed_digest
from haitang.support.security.people.models import Person
from haitang.support.security.people.single_sign_on import keys
from haitang.support.security.people.single_sign_on.models import CODE, SCOPES, SECRET, ClientSystem, Code, Consent, Token

BAD_ADDRESS = error(
    "people.bad_redirect_address", 400, "回调地址“{address}”不可用：须是 https 地址（本机调试可用 http://localhost），不带 # 部分。"
)
NO_ADDRESS = error("people.no_redirect_address", 400, "请填写至少一个回调地址。")
NO_CLIENT = error("people.no_client_system", 404, "没有这个对接系统。")

CODE_LASTS = timedelta(seconds=60)


def _address(text: str) -> str:
    at = urlsplit(text)
    if (
        not at.hostname
        or at.fragment
        or len(text) > 500
        or (at.scheme != "https" and not (at.scheme == "http" and at.hostname in ("localhost", "127.0.0.1")))
    ):
        raise BAD_ADDRESS(address=text[:80])
    return text


@action("people.register_client", title="登记对接系统", fresh=True)
def register_client(
    *, act: Act, title: str, redirect_uris: Sequence[str], scopes: Sequence[str], after_sign_out: Sequence[str] = ()
) -> tuple[ClientSystem, str]:
    """A system that may let people sign in by us, and its secret, which is shown once."""
    if not redirect_uris:
        raise NO_ADDRESS()
    secret = secrets.token_urlsafe(32)
    made = ClientSystem.objects.create(
        title=title.strip()[:100] or "—", secret=keyed_digest(secret, SECRET), redirect_uris=[_address(each) for each in redirect_uris],
        after_sign_out=[_address(each) for each in after_sign_out], scopes=[each for each in SCOPES if each in scopes],
        registered_by=act.actor.ref, registered_at=act.at,
    )  # fmt: skip
    act.record(
        "client_system", str(made.pk), {"hosts": sorted({urlsplit(each).hostname or "" for each in redirect_uris}), "scopes": made.scopes}
    )
    return made, secret


@action("people.register_client", title="登记对接系统", fresh=True)
def set_client_active(*, act: Act, client: ClientSystem, active: bool) -> None:
    """A system that is off signs nobody in, and what it was given counts no more."""
    client.active = active
    client.save(update_fields=["active"])
    act.record("client_system", str(client.pk), {"active": active})


@action("people.rotate_identity_key", title="更换身份令牌密钥", fresh=True)
def rotate_key(*, act: Act) -> str:
    """A new key signs from now on; the old one stays published until what it signed has run out."""
    made = keys.new_key()
    act.record("identity_key", made.kid)
    return made.kid


@action("people.sign_in_elsewhere", title="登录对接系统")
def grant(
    *, act: Act, person: Person, client: ClientSystem, code: str, session: str, redirect_uri: str, scope: str, nonce: str,
    challenge: str, method: str, auth_time: int, amr: Sequence[str],
) -> None:  # fmt: skip
    """Let a system know who signed in: keeps the consent and the digest of the code."""
    Consent.objects.update_or_create(person=person, client=client, defaults={"scopes": scope.split(), "at": act.at})
    Code.objects.create(
        digest=keyed_digest(code, CODE), client=client, person=person, session=session, redirect_uri=redirect_uri, scope=scope, nonce=nonce,
        code_challenge=challenge, code_challenge_method=method, auth_time=auth_time, amr=list(amr), expires_at=act.at + CODE_LASTS,
    )  # fmt: skip
    act.record("person", str(person.id), {"client": str(client.pk), "scopes": scope.split()})


def withdraw(code: Code) -> None:
    """A code that comes twice was stolen: what it gave counts no more (RFC 6749 4.1.2)."""
    Token.objects.filter(code=code).delete()
