"""The heartbeat of a process: a file in `run/` that it touches while its loop turns.

The file's time is seconds since the machine started, not the time of day: a clock that is set ahead makes nobody look dead, one that is set back nobody alive.
"""

import asyncio
import contextlib
import os
import threading
import time
from pathlib import Path

EVERY = 2.0
STALE = 20.0


def beat(run: Path, name: str, pid: int | None = None) -> None:
    """Say that this process (or its parent, by `pid`) is alive now. On a full disk a file that is there can still be touched."""
    file, told = run / f"{name}.beat", str(pid or os.getpid())
    with contextlib.suppress(OSError):
        if file.read_text() == told:
            _touch(file)
            return
    with contextlib.suppress(OSError):
        draft = file.with_suffix(f".{os.getpid()}")
        draft.write_text(told)
        _touch(draft)
        draft.replace(file)


def _touch(file: Path) -> None:
    os.utime(file, (time.monotonic(),) * 2)


async def keep_beating(run: Path, name: str) -> None:
    """Beat from the event loop, so that a loop that hangs falls silent."""
    while True:
        beat(run, name)
        await asyncio.sleep(EVERY)


def beat_in_thread(run: Path, name: str, stop: threading.Event, pid: int | None = None) -> None:
    """Beat beside a synchronous process until it stops; for a parent (`pid`), as long as that is there."""

    def turn() -> None:
        while not stop.is_set() and pid in (None, os.getppid()):
            beat(run, name, pid)
            stop.wait(EVERY)

    threading.Thread(target=turn, name="beat", daemon=True).start()


def is_alive(run: Path, name: str, pid: int | None = None, *, stale: float = STALE) -> bool:
    """Whether the process (with this pid, where given) exists and beat within `stale` seconds."""
    file = run / f"{name}.beat"
    try:
        told, age = int(file.read_text()), time.monotonic() - file.stat().st_mtime
        os.kill(told, 0)
    except (OSError, ValueError):
        return False
    return age < stale and pid in (None, told)
