"""Which human being an account belongs to."""

import hashlib
import hmac

from haitang.base.settings import settings
from haitang.support.security.people.models import Human


def identity_digest(number: str) -> str:
    """HMAC-SHA-256 of a resident ID number (GB 11643) under the instance's key."""
    key = hashlib.sha256(b"haitang human identity" + settings().secret_key.encode()).digest()
    return hmac.new(key, number.strip().upper().encode(), hashlib.sha256).hexdigest()


def human_of(number: str) -> Human:
    """The human being with this resident ID number; without one, a new human being of whom nothing is known."""
    if not number.strip():
        return Human.objects.create()
    return Human.objects.get_or_create(identity=identity_digest(number))[0]
