"""Keeps refusals: one row for an actor, a permission, a subject and a day; sensitive ones enter the ledger.

Neither rows nor records can be flooded: after `ROWS_A_DAY` different subjects an actor's further ones are counted together, and after `RECORDS_A_DAY` records only counts go on.
"""

import secrets
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F

from haitang.base import clock
from haitang.base.actions import Refusal as Asked
from haitang.base.actions import Refused, acting, writes
from haitang.base.declarations import release_digest
from haitang.support.security.evidence.actions import record_denial
from haitang.support.security.policy.entities import LEVELS, Subject, subject_of
from haitang.support.security.policy.models import Refusal

ROWS_A_DAY = 200
RECORDS_A_DAY = 50
MANY = "*"
KEPT_FOR = timedelta(days=190)
SENSITIVE_ROOMS = ("people", "policy", "tokens", "evidence", "declarations", "device")
_READABLE = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


def sensitive(permission: str, subject: Subject, organization: str | None = None) -> bool:
    """Whether a refusal is evidence: an act, a read of what officers keep, of another organization's thing, or of anything above general level."""
    if permission in writes or permission.partition(".")[0] in SENSITIVE_ROOMS:
        return True
    return (subject.level or 0) >= LEVELS["sensitive"] or subject.organization not in (None, organization)


class KeptRefusals:
    """Serves the port `refusals`."""

    def keep(self, refused: Refused, *, way: str) -> str:
        return f"/why/{kept(refused.refusal, _storable(way)).code}"


def _storable(text: str) -> str:
    """As much as the column holds; addresses and ids come from outside, and no text of PostgreSQL holds NUL."""
    return text.replace("\0", "\u2400")[:200]


def _subject(resource: Any) -> Subject:
    subject = subject_of(resource)
    legible: dict[str, Any] = {name: _storable(value) for name, value in asdict(subject).items() if isinstance(value, str)}
    return replace(subject, **legible)


def kept(asked: Asked, way: str) -> Refusal:
    """The row of a refusal, counted up or made."""
    subject, now = _subject(asked.resource), clock.now()
    day = now.astimezone(clock.CHINA).date()
    mine = Refusal.objects.filter(actor=asked.actor.ref, day=day)
    ref = subject.ref
    found = _again(mine, asked, ref)
    if found is None and mine.count() >= ROWS_A_DAY:
        ref, subject = MANY, Subject(MANY, MANY)
        found = _again(mine, asked, ref)
    if found is not None:
        return found
    evident = sensitive(asked.permission, subject, asked.actor.organization) and mine.filter(evidence__isnull=False).count() < RECORDS_A_DAY
    try:
        with acting(asked.actor) as act:
            evidence = _recorded(act, asked, subject, way) if evident else None
            return Refusal.objects.create(
                code=_code(), actor=asked.actor.ref, organization=asked.actor.organization or "", permission=asked.permission,
                subject_ref=ref, subject={k: v for k, v in asdict(subject).items() if v is not None}, decision=asked.decision.code,
                reason=asked.decision.reason, policies=list(asked.decision.policies), token=asked.actor.token.id if asked.actor.token else "",
                way=way, release=release_digest(), day=day, first_at=now, last_at=now, evidence=evidence,
            )  # fmt: skip
    except IntegrityError:  # another request of the same person was faster
        return mine.get(permission=asked.permission, subject_ref=ref)


def _again(mine: Any, asked: Asked, ref: str) -> Refusal | None:
    rows = mine.filter(permission=asked.permission, subject_ref=ref)
    found = rows.first()
    if found is None:
        return None
    rows.update(
        count=F("count") + 1, last_at=clock.now(), decision=asked.decision.code, reason=asked.decision.reason,
        policies=list(asked.decision.policies), release=release_digest(),
    )  # fmt: skip
    assert isinstance(found, Refusal)
    return found


def _recorded(act: Any, asked: Asked, subject: Subject, way: str) -> str:
    kind, _, id = subject.ref.partition(":")
    about = {"subject_kind": kind[:32], "subject_id": id[:128]} if id else {}
    return record_denial(act=act, denied=asked.permission, code=asked.decision.code, way=way, **about)


def _code() -> str:
    """Such as `7KQM-2XWD`: about 39 bits, and good only for who was refused and for security officers."""
    groups = ["".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(2)]
    return "-".join(groups)


def forget_old() -> int:
    """Rows that nobody needs any more; their records in the ledger stay."""
    return Refusal.objects.filter(last_at__lt=clock.now() - KEPT_FOR).delete()[0]
