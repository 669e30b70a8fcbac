"""What publishers say of a stream that is connected and answers nobody: a file in `run/` that each attempt without an answer touches.

The supervisor looks at it. NATS that could not write once, such as on a full disk, says nothing any more of that stream to anybody until it is started anew.
"""

import contextlib
import os
import time
from pathlib import Path

FRESH = 3.0  # seconds; an attempt takes two


def note(run: Path) -> None:
    """An attempt to publish was not answered. The file's time is seconds since the machine started, which nobody sets."""
    with contextlib.suppress(OSError):
        file = run / "stream.unanswered"
        file.touch()
        os.utime(file, (time.monotonic(),) * 2)


def take_back(run: Path) -> None:
    """What was published is answered again."""
    with contextlib.suppress(OSError):
        (run / "stream.unanswered").unlink(missing_ok=True)


def is_said(run: Path) -> bool:
    """Whether somebody said so just now."""
    try:
        return time.monotonic() - (run / "stream.unanswered").stat().st_mtime < FRESH
    except OSError:
        return False
