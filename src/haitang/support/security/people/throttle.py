"""Growing delays after failed proofs, per account and per address.

Whoever guesses at an account from elsewhere delays its owner on unknown browsers only, and never for longer than `longest_delay`: a browser that the account
has signed in from carries a signed mark and is counted by itself. An unknown account name is counted like a known one, so that it tells nothing.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Max

from haitang.base.durations import parse_span
from haitang.support.security.people.kinds import SignIn
from haitang.support.security.people.models import Throttle

FORGOTTEN_AFTER = timedelta(hours=24)
AN_OFFICE = 10  # people behind one address: it may fail that many times more often


def keys(*, account: str, address: str, browser: str = "") -> list[str]:
    """What an attempt is counted under."""
    who = f"browser:{browser}" if browser else f"account:{hashlib.sha256(account.encode()).hexdigest()[:40]}"
    return [who, f"address:{address}"] if address else [who]


def blocked_until(counted: Iterable[str], at: datetime) -> datetime | None:
    """When the next attempt is looked at, if not now."""
    found: datetime | None = Throttle.objects.filter(key__in=list(counted), until__gt=at).aggregate(last=Max("until"))["last"]
    return found


def failed(counted: Iterable[str], policy: SignIn, at: datetime) -> None:
    """Count a failure under each key and set its delay."""
    for key in sorted(counted):
        found, _ = Throttle.objects.select_for_update().get_or_create(key=key, defaults={"at": at})
        found.failures = 1 if found.at < at - FORGOTTEN_AFTER else found.failures + 1
        found.until, found.at = at + delay(found.failures, key, policy), at
        found.save()


def delay(failures: int, key: str, policy: SignIn) -> timedelta:
    """Nothing for the first `attempts`, then doubling up to the longest."""
    free = policy.attempts * (AN_OFFICE if key.startswith("address:") else 1)
    if failures < free:
        return timedelta(0)
    longest = parse_span(policy.longest_delay)
    doubled: timedelta = parse_span(policy.first_delay) * (1 << min(failures - free, 20))
    return min(doubled, longest)


def succeeded(counted: Iterable[str]) -> None:
    """Start anew for the account or browser. An address keeps its count: one good password does not clear a guesser."""
    Throttle.objects.filter(key__in=[key for key in counted if not key.startswith("address:")]).delete()


def forgive(account: str) -> None:
    """An administrator reset the account."""
    succeeded(keys(account=account, address=""))
