"""One side of gathering as a process of its own, for tests that kill it.

`python -m tests.hub.data.gather.worker gather|writer` works until it is killed from outside. `… worker nursery` reads lines `side: point`, lets a
child of its own work until it kills itself at that point (no point: until nothing is left to do), and answers with how the child ended: its signal or exit.
SIGKILL: nothing of the child runs any more, no `finally`, no rollback, no flush.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from haitang.base.settings import settings
from tests.server.instances import wait_until

CHUNK = 500


def points() -> dict[str, tuple[Any, str, int]]:
    """Point -> the function behind which the process dies, and at which of its calls."""
    from haitang.hub.data.gather import gathering, landing, parts
    from haitang.hub.data.gather.judge.judge import Judge

    return {
        "part written": (parts, "write", 3),
        "rows held, not committed": (gathering, "_count", 2),
        "chunk committed": (Judge, "written", 2),
        "parts forgotten, not finished": (parts, "forget", 1),
        "block written, not committed": (landing, "_block", 3),
        "in the lake, not noted": (landing, "_put", 1),
    }


def die_behind(where: Any, name: str, call: int) -> None:
    original, calls = getattr(where, name), [0]

    def dying(*given: Any, **more: Any) -> Any:
        calls[0] += 1
        answer = original(*given, **more)
        if calls[0] == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(where, name, dying)


def work(side: str, *, forever: bool) -> None:
    """Do what the process of that side does: until it is killed, or until nothing is left to do."""
    from haitang.hub.data.gather import process

    if side == "gather" and forever:
        process.run(threading.Event())
    step = _landing() if side == "writer" else lambda: process.once(threading.Event())
    while step() or forever:
        time.sleep(0.02 if forever else 0)


def _landing() -> Callable[[], bool]:
    from haitang.hub.data.gather import landing
    from haitang.hub.data.gather.models import Part
    from haitang.hub.data.lake import connection, schema

    lake = connection.writer()
    schema.ensure(lake)

    def step() -> bool:
        landing.follow(lake, 0)
        return Part.objects.filter(landed=False).exists()

    return step


def nursery() -> None:
    """One process that has loaded everything, so that a death costs no start."""
    from django.db import connections

    connections.close_all()
    for line in sys.stdin:
        side, _, point = line.rstrip("\n").partition(": ")
        child = os.fork()
        if child == 0:
            if point:
                die_behind(*points()[point])
            work(side, forever=False)
            os._exit(0)
        _, ended = os.waitpid(child, 0)
        _let_go(child)
        print(signal.Signals(ended).name if os.WIFSIGNALED(ended) else f"exit {os.waitstatus_to_exitcode(ended)}", flush=True)


def _let_go(child: int) -> None:
    """Until the database has noticed that a process is gone: until then its locks are held, and whoever looks once for what there is to do finds nothing."""
    with psycopg.connect(settings().database_url, autocommit=True) as database:
        asked = "select 1 from pg_stat_activity where application_name like %s"
        wait_until(lambda: not database.execute(asked, [f"haitang {child} %"]).fetchone(), 60)


def main(what: str) -> None:
    import django

    django.setup()
    from haitang.base.declarations import put_in_force
    from haitang.hub.data.gather.readers import delimited
    from haitang.server.discovery import load_kinds
    from tests.hub.data.gather.conftest import everything

    load_kinds()
    put_in_force(everything())
    delimited.ROWS = CHUNK  # type: ignore[attr-defined]
    if what == "nursery":
        nursery()
    else:
        work(what, forever=True)


if __name__ == "__main__":
    main(sys.argv[1])
