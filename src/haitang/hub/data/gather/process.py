"""The process `gather`: takes runs from the queue, one at a time, and finishes those that are in the lake.

Who reads a run holds an advisory lock on it; the lock goes with the connection, so that a killed process gives its run free at once.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
from django.db import DatabaseError, close_old_connections, connection

from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError
from haitang.hub.data.gather import actions, memory
from haitang.hub.data.gather.gathering import TAKEN_OVER, Gathering, begin
from haitang.hub.data.gather.models import Held, Run
from haitang.hub.data.gather.provisional.actions import gone
from haitang.hub.data.gather.sweeping import sweep
from haitang.hub.data.gather.waiting import wait
from haitang.hub.data.lake.connection import NOT_READY

log = structlog.get_logger()

NICE = 10  # as the writer, which takes what is read into the lake: answers, alarms and pages go first
WAIT = 0.5  # seconds between two looks at the queue where nobody wakes it
PAUSE = 2.0
SWEEP = 3600.0  # seconds between two looks for what nothing needs any more
LOCK = 0x67_61_74_68  # class of the advisory locks
ACTOR = system("gather")
UNSETTLED = (Held.State.OPEN, Held.State.MENDED, Held.State.SUBMITTED)
# Seconds after which a thread that hashes lets the others go on: they need Python for a moment only, many times in each chunk.
SWITCH = 0.0005
ATTEMPTS = 3  # of a run that fails in a way that nobody foresaw


def run(stop: threading.Event) -> None:
    """Gather until `stop`."""
    sys.setswitchinterval(SWITCH)
    memory.keep()
    with suppress(HaitangError, DatabaseError):
        in_force()  # it takes a third of a second, which the first run would wait for
    failures: dict[str, int] = {}
    swept = -SWEEP
    while not stop.is_set():
        try:
            close_old_connections()
            if time.monotonic() - swept > SWEEP:
                swept = time.monotonic()
                sweep()
            if not once(stop, failures):
                wait(WAIT)
        except DatabaseError:
            log.exception("gather.database")
            connection.close()
            stop.wait(PAUSE)


def once(stop: threading.Event, failures: dict[str, int] | None = None) -> bool:
    """Finish what has landed and read the next run, if there is one; returns whether there was anything to do."""
    finished = finish_landed()
    with _next() as found:
        if found is None:
            return finished
        try:
            begin(found)
            Gathering(found).go(stop)
            memory.give_back()
        except HaitangError as reason:
            if reason.kind is NOT_READY:
                # the writer has not made the lake yet: the run waits
                return finished
            if reason.kind is not TAKEN_OVER:
                _failed(found, reason)
        except DatabaseError:
            raise
        except Exception as reason:
            log.exception("gather.failed", run=str(found.pk))
            counted = failures if failures is not None else {}
            counted[str(found.pk)] = counted.get(str(found.pk), 0) + 1
            if counted[str(found.pk)] >= ATTEMPTS or failures is None:
                _failed(found, reason)
            else:
                stop.wait(PAUSE)
    return True


def finish_landed() -> bool:
    """Finish the runs whose every part is in the lake, and settle those whose every quarantined row has been dealt with."""
    for found in Run.objects.filter(actions.unsettled()):
        if not found.held.filter(state__in=UNSETTLED).exists():
            with acting(ACTOR) as act:
                actions.settle(act=act, run=found)
    landed = [run for run in Run.objects.filter(state=Run.State.LANDING) if not run.staged.filter(landed=False).exists()]
    for found in landed:
        with acting(ACTOR) as act:
            actions.finish(act=act, run=found)
            if found.load == "discard":
                gone(act=act, run=found)
    return bool(landed)


def _failed(found: Run, reason: Exception) -> None:
    with acting(ACTOR) as act:
        actions.fail(act=act, run=found, reason=reason)


@contextmanager
def _next() -> Iterator[Run | None]:
    """The oldest run that nobody reads, locked."""
    for found in Run.objects.filter(state__in=(Run.State.RUNNING, Run.State.QUEUED)).order_by("-state", "created_at"):
        number = found.pk.int & 0x7FFFFFFF
        with connection.cursor() as cursor:
            cursor.execute("select pg_try_advisory_lock(%s, %s)", [LOCK, number])
            taken = cursor.fetchone()[0]
        if taken:
            try:
                found.refresh_from_db()
                yield found if not found.ended and found.state != Run.State.LANDING else None
            finally:
                with connection.cursor() as cursor:
                    cursor.execute("select pg_advisory_unlock(%s, %s)", [LOCK, number])
            return
    yield None
