"""Keeps all derivations up with the lake; a follower of the writer."""

import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import structlog
from django.db import DatabaseError

from haitang.base.clock import now
from haitang.base.declarations import Declarations, in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.derive.compute import Computed, compute
from haitang.hub.data.derive.models import DerivationRun
from haitang.hub.data.derive.plan import Planned, Things, plan
from haitang.hub.data.gather.queries import ended
from haitang.support.infrastructure.things.models import Thing

log = structlog.get_logger()

KEEP_RUNS = timedelta(days=30)
RETRY = 60.0  # seconds until a derivation that failed is tried again without new data


class Engine:
    """Remembers only what spares work: the truth is in the lake."""

    def __init__(self) -> None:
        self._done: tuple[str, int, int] | None = None
        self._failed_at = 0.0
        self._pruned = 0.0

    def follow(self, connection: Any, position: int) -> None:
        """Bring every derivation in force up to block `position`, each in a transaction of its own."""
        try:
            declarations = in_force()
        except HaitangError:
            return  # before the first release there is nothing to derive
        gathered = ended()
        state = (declarations.digest, position, max(gathered.values(), default=0))
        if self._done == state and not (self._failed_at and time.monotonic() - self._failed_at > RETRY):
            return
        failed = update(connection, declarations, position, gathered)
        self._done, self._failed_at = state, time.monotonic() if failed else 0.0
        self._prune()

    def _prune(self) -> None:
        if time.monotonic() - self._pruned > 3600:
            DerivationRun.objects.filter(started__lt=now() - KEEP_RUNS).delete()
            self._pruned = time.monotonic()


def things_of() -> Things:
    """A look-up of the things of a device type that asks the database once for each."""

    @cache
    def look_up(device: str) -> list[str]:
        return list(Thing.objects.filter(device=device).order_by("id").values_list("id", flat=True))

    return look_up


def update(connection: Any, declarations: Declarations, position: int, gathered: Mapping[str, int] | None = None) -> set[str]:
    """Compute all derivations in order; returns the ids of those that failed. What reads a failed one waits for it.

    `gathered`: resource -> when its newest run ended; not given: it is asked.
    """
    failed: set[str] = set()
    gathered = ended() if gathered is None else gathered
    things = things_of()
    for planned in plan(declarations, things):
        if failed.intersection(planned.below) or not _run(connection, planned, declarations, things, position, gathered):
            failed.add(planned.derive.id)
    return failed


def _run(connection: Any, planned: Planned, declarations: Declarations, things: Things, position: int, gathered: Mapping[str, int]) -> bool:
    started = now()
    until = max((gathered.get(id, 0) for id in planned.resources), default=0)
    try:
        computed = compute(connection, planned, declarations, things, position, until)
    except DatabaseError:
        raise
    except Exception as reason:
        log.exception("derive.failed", derivation=planned.derive.id)
        _note(planned, declarations, started, position, Computed(0, None), str(reason))
        return False
    if computed:
        _note(planned, declarations, started, position, computed, "")
        for failure in computed.failures:
            log.warning("derive.test_failed", derivation=planned.derive.id, test=failure["test"], rows=failure["rows"])
    return True


def _note(planned: Planned, declarations: Declarations, started: Any, position: int, computed: Computed, error: str) -> None:
    DerivationRun.objects.create(
        derivation=planned.derive.id, release=declarations.digest, digest=planned.digest, position=position, started=started, finished=now(),
        rows=computed.rows, buckets=computed.buckets, failures=computed.failures, error=error,
    )  # fmt: skip
