"""Passkeys: the ceremonies of WebAuthn Level 2, as the `webauthn` package checks them.

The relying party is the host of the instance's address. Browsers know passkeys for names only, not for a bare IP address, and only over HTTPS or on localhost.
"""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.security.people.factors.models import Passkey
from haitang.support.security.people.models import Person

REFUSED = error("people.passkey_refused", 400, "通行密钥没有通过验证：{reason}。请重试，或换用验证码。")

CHALLENGE = "webauthn_challenge"


@dataclass(frozen=True)
class Registered:
    """A passkey that a browser made and we checked."""

    credential: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]


def origin(request: HttpRequest) -> str:
    """The address that the browser shows: the instance's public one where it is set."""
    if settings().public_url:
        at = urlsplit(settings().public_url)
        return f"{at.scheme}://{at.netloc}"
    return f"{request.headers.get('X-Forwarded-Proto', request.scheme)}://{request.get_host()}"


def host(request: HttpRequest) -> str:
    return urlsplit(origin(request)).hostname or ""


def possible(request: HttpRequest) -> bool:
    """Whether a browser would make a passkey for this address."""
    try:
        ipaddress.ip_address(host(request))
    except ValueError:
        return origin(request).startswith("https:") or host(request) == "localhost"
    return False


def _described(passkeys: list[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes(each.credential)) for each in passkeys]


def ask_to_register(request: HttpRequest, person: Person, title: str) -> dict[str, Any]:
    """The options of `navigator.credentials.create`; the challenge waits in the session."""
    options = generate_registration_options(
        rp_id=host(request), rp_name=title, user_name=person.username, user_id=person.pk.bytes, user_display_name=person.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.PREFERRED
        ),
        exclude_credentials=_described(list(Passkey.objects.filter(person=person))),
    )  # fmt: skip
    request.session[CHALLENGE] = bytes_to_base64url(options.challenge)
    return dict(json.loads(options_to_json(options)))


def registered(request: HttpRequest, answer: dict[str, Any]) -> Registered:
    """What the browser made; raises REFUSED."""
    try:
        found = verify_registration_response(
            credential=answer, expected_challenge=_challenge(request), expected_rp_id=host(request), expected_origin=origin(request)
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise REFUSED(reason=str(wrong)) from None
    transports = [str(each)[:16] for each in answer.get("response", {}).get("transports") or []][:8]
    return Registered(found.credential_id, found.credential_public_key, found.sign_count, transports)


def ask_to_prove(request: HttpRequest, person: Person | None) -> dict[str, Any]:
    """The options of `navigator.credentials.get`: for a known person their passkeys, else whichever the browser offers (then it verifies its user)."""
    options = generate_authentication_options(
        rp_id=host(request),
        allow_credentials=_described(list(Passkey.objects.filter(person=person))) if person else None,
        user_verification=UserVerificationRequirement.PREFERRED if person else UserVerificationRequirement.REQUIRED,
    )
    request.session[CHALLENGE] = bytes_to_base64url(options.challenge)
    return dict(json.loads(options_to_json(options)))


def proved(request: HttpRequest, answer: dict[str, Any], *, alone: bool) -> tuple[Passkey, int]:
    """The passkey that answered and its new count; `alone`: in place of a password, so the device must have verified its user. Raises REFUSED."""
    try:
        passkey = Passkey.objects.select_related("person").filter(credential=base64url_to_bytes(str(answer.get("id", "")))).first()
        if passkey is None:
            raise REFUSED(reason="没有登记过")
        found = verify_authentication_response(
            credential=answer, expected_challenge=_challenge(request), expected_rp_id=host(request), expected_origin=origin(request),
            credential_public_key=bytes(passkey.public_key), credential_current_sign_count=passkey.sign_count, require_user_verification=alone,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError) as wrong:
        raise REFUSED(reason=str(wrong)) from None
    return passkey, found.new_sign_count


def _challenge(request: HttpRequest) -> bytes:
    """Each challenge is good once."""
    waiting = request.session.pop(CHALLENGE, "")
    if not waiting:
        raise REFUSED(reason="等待时间过长")
    return base64url_to_bytes(waiting)
