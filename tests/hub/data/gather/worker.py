"""One side of gathering as a process of its own, for tests that kill it: `python -m tests.hub.data.gather.worker gather|writer [point]`.

At `point` the process kills itself with SIGKILL: nothing of it runs any more, no `finally`, no rollback, no flush.
"""

import os
import signal
import sys
import threading
import time
from typing import Any

CHUNK = 500


def points() -> dict[str, tuple[Any, str, int]]:
    """Point -> the function behind which the process dies, and at which of its calls."""
    from haitang.hub.data.gather import gathering, landing, parts
    from haitang.hub.data.gather.judge.judge import Judge

    return {
        "part written": (parts, "write", 3),
        "rows held, not committed": (gathering, "_count", 2),
        "chunk committed": (Judge, "remember", 2),
        "parts forgotten, not finished": (parts, "forget", 1),
        "block written, not committed": (landing, "_block", 3),
        "in the lake, not noted": (landing, "_put", 3),
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


def main(side: str, point: str) -> None:
    import django

    django.setup()
    from haitang.base.declarations import put_in_force
    from haitang.hub.data.gather import landing, process
    from haitang.hub.data.gather.readers import delimited
    from haitang.hub.data.lake import connection, schema
    from haitang.server.discovery import load_kinds
    from tests.hub.data.gather.conftest import everything

    load_kinds()
    put_in_force(everything())
    delimited.ROWS = CHUNK  # type: ignore[attr-defined]
    if point:
        die_behind(*points()[point])
    if side == "gather":
        process.run(threading.Event())
    lake = connection.writer()
    schema.ensure(lake)
    while True:
        landing.follow(lake, 0)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
