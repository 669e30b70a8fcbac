"""Keys of identity tokens: the newest signs; each is published until everything that it signed has run out (RFC 7517)."""

from datetime import timedelta
from typing import Any

from joserfc.jwk import ECKey

from haitang.base import clock
from haitang.support.security.cryptography.small_secrets import seal, unseal
from haitang.support.security.people.single_sign_on.models import IdentityKey

ALGORITHM = "ES256"
SIGNS_FOR = timedelta(days=90)
PUBLISHED_AFTERWARDS = timedelta(days=2)
_PURPOSE = "identity key"


def new_key() -> IdentityKey:
    """Make a key that signs from now on."""
    made = ECKey.generate_key("P-256", parameters={"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    private = made.as_pem(private=True).decode()
    return IdentityKey.objects.create(kid=made.kid or "", private=seal(private, _PURPOSE), created_at=clock.now())


def _opened(row: IdentityKey) -> ECKey:
    return ECKey.import_key(unseal(row.private, _PURPOSE), {"use": "sig", "alg": ALGORITHM, "kid": row.kid})


def signing_key() -> ECKey:
    """The key that signs; a new one takes over by itself after SIGNS_FOR."""
    newest = IdentityKey.objects.order_by("-created_at").first()
    if newest is None or newest.created_at + SIGNS_FOR < clock.now():
        newest = new_key()
    return _opened(newest)


def published() -> dict[str, Any]:
    """The JWKS document: public halves only."""
    signing_key()
    rows = list(IdentityKey.objects.order_by("-created_at"))
    shown = [row for n, row in enumerate(rows) if n == 0 or rows[n - 1].created_at + PUBLISHED_AFTERWARDS > clock.now()]
    return {"keys": [_opened(row).as_dict(private=False) for row in shown]}
