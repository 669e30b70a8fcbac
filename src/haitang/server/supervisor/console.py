"""What the person at the terminal sees: one short line a step."""

import os
import sys
import time
from contextlib import suppress
from typing import TextIO

# Processes of one start count from the same moment; the monotonic clock is the machine's.
_started = float(os.environ.setdefault("HAITANG_STARTED", str(time.monotonic())))


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    _print(f"[{time.monotonic() - _started:6.1f}s] {text}", sys.stdout)


def plain(text: str) -> None:
    _print(text, sys.stdout)


def complain(text: str) -> None:
    _print(f"[{time.monotonic() - _started:6.1f}s] {text}", sys.stderr)


def _print(line: str, to: TextIO) -> None:
    """A terminal that is gone, or a full disk behind it, stops nobody."""
    with suppress(OSError):
        print(line, file=to, flush=True)
