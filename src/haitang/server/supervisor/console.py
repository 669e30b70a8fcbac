"""What the person at the terminal sees: one short line a step."""

import os
import sys
import time

# Processes of one start count from the same moment; the monotonic clock is the machine's.
_started = float(os.environ.setdefault("HAITANG_STARTED", str(time.monotonic())))


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"[{time.monotonic() - _started:6.1f}s] {text}", flush=True)


def plain(text: str) -> None:
    print(text, flush=True)


def complain(text: str) -> None:
    print(f"[{time.monotonic() - _started:6.1f}s] {text}", file=sys.stderr, flush=True)
