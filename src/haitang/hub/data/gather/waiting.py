"""The queue of runs, and waiting for it: who puts something into it, or into the lake, wakes the process that gathers with the commit that holds it (PostgreSQL's NOTIFY)."""

from typing import Any

import psycopg
from django.db import OperationalError, connection

from haitang.hub.data.gather.models import Run

CHANNEL = "haitang_gather"


def enqueue(**fields: Any) -> Run:
    """A new run at the end of the queue."""
    run = Run.objects.create(**fields)
    wake()
    return run


def wake() -> None:
    """Have the process that gathers look again once the running transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, '')", [CHANNEL])


def wait(seconds: float) -> None:
    """Until something woke this process, or so many seconds are over; raises OperationalError where the database is away."""
    with connection.cursor() as cursor:
        cursor.execute(f"listen {CHANNEL}")
    try:
        for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
            return
    except psycopg.Error as reason:
        raise OperationalError(str(reason)) from reason
