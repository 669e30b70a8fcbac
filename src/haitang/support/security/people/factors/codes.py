"""Codes: those of an authenticator (RFC 6238: SHA-1, 6 digits, 30 s, one step either way), and recovery codes."""

import hmac
import secrets
import unicodedata
from datetime import datetime

import pyotp

from haitang.support.security.cryptography.small_secrets import keyed_digest, seal, unseal
from haitang.support.security.people.factors.models import Authenticator, RecoveryCode
from haitang.support.security.people.models import Person

STEP = 30
AROUND = (0, -1, 1)
CODES = 10
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_TOTP, _RECOVERY = "totp", "recovery code"


def tidy(typed: str) -> str:
    """A code as it was meant: spaces, hyphens and the full-width digits of an input method are no difference."""
    return "".join(unicodedata.normalize("NFKC", typed).split()).replace("-", "").lower()


def new_secret() -> tuple[str, str]:
    """(secret in base 32, the same sealed)."""
    secret = pyotp.random_base32()
    return secret, seal(secret, _TOTP)


def secret_of(authenticator: Authenticator) -> str:
    return unseal(authenticator.secret, _TOTP)


def address(secret: str, username: str, issuer: str) -> str:
    """What the QR code says: otpauth://totp/…"""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=issuer)


def step_of(secret: str, code: str, at: datetime, after: int) -> int | None:
    """The time step whose code this is, if it is near and newer than `after`."""
    if not code.isascii():
        return None
    now, totp = int(at.timestamp()) // STEP, pyotp.TOTP(secret)
    steps = [now + offset for offset in AROUND if now + offset > after]
    return next((step for step in steps if hmac.compare_digest(totp.generate_otp(step), code)), None)


def use(person: Person, typed: str, at: datetime) -> str:
    """`totp` or `recovery` where the code is this person's and was not used before, else nothing. Whatever is found is used up."""
    code = tidy(typed)
    if len(code) == 6 and code.isascii() and code.isdigit():
        return "totp" if any(_uses(each, code, at) for each in _locked(person)) else ""
    found = RecoveryCode.objects.select_for_update().filter(person=person, digest=_digest(code), used_at=None).first() if code else None
    if found is None:
        return ""
    found.used_at = at
    found.save(update_fields=["used_at"])
    return "recovery"


def _locked(person: Person) -> list[Authenticator]:
    return list(Authenticator.objects.select_for_update().filter(person=person, confirmed_at__isnull=False))


def _uses(authenticator: Authenticator, code: str, at: datetime) -> bool:
    step = step_of(secret_of(authenticator), code, at, authenticator.last_step)
    if step is None:
        return False
    authenticator.last_step, authenticator.used_at = step, at
    authenticator.save(update_fields=["last_step", "used_at"])
    return True


def new_recovery_codes(person: Person) -> list[str]:
    """Ten codes such as `k7mq-2xwd-hn94` (about 59 bits), in place of all earlier ones; only their digests are kept."""
    RecoveryCode.objects.filter(person=person).delete()
    codes = ["".join(secrets.choice(_READABLE) for _ in range(12)) for _ in range(CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(person=person, digest=_digest(code)) for code in codes])
    return ["-".join(code[i : i + 4] for i in range(0, 12, 4)) for code in codes]


def _digest(code: str) -> str:
    return keyed_digest(code, _RECOVERY)
