"""Ends sessions: their rows go, and open live streams are told by digests of their keys, from which no key can be made."""

import hashlib
from uuid import UUID

from django.db.models import QuerySet

from haitang.base.actions import Act
from haitang.support.security.people.models import Person, Session

TOPIC = "session"


def digest(key: str) -> str:
    """What the front knows a session by."""
    return hashlib.sha256(key.encode()).hexdigest()


def revoke_tokens_of(act: Act, person: Person) -> int:
    """API tokens of a person open nothing any more; returns how many. Asked through the relation: tokens are a room above this one."""
    return int(person.tokens.filter(revoked_at=None, expires_at__gt=act.at).update(revoked_at=act.at))


def end_sessions_of(act: Act, person: Person, *, only: Session | None = None, but: str = "") -> int:
    """End a person's sessions (one of them; all but one); returns how many ended."""
    found = Session.objects.filter(person=person).exclude(session_key=but)
    return _end(act, found.filter(pk=only.pk) if only else found)


def end_sessions_of_wall(act: Act, wall: UUID) -> int:
    """End what a screen on a wall has open."""
    return _end(act, Session.objects.filter(wall=wall))


def _end(act: Act, found: QuerySet[Session]) -> int:
    keys = list(found.values_list("session_key", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    for start in range(0, len(keys), 50):  # a notification of PostgreSQL carries 8000 bytes
        act.announce(TOPIC, {"ended": [digest(key) for key in keys[start : start + 50]]})
    return len(keys)
