"""A child must not outlive its supervisor, even one killed with -9: Linux signals it when its parent is gone."""

import ctypes
import os
import signal
from collections.abc import Callable

PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def prctl(what: int, value: int) -> None:
    """Linux's prctl(2); raises OSError."""
    if _libc.prctl(what, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def tie(death_signal: signal.Signals, parent: int) -> None:
    """Get `death_signal` when `parent`, whose child this process is, dies."""
    prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:  # it died before we were tied
        os._exit(1)


def tied_to_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """A function to run in the child between fork and exec."""
    parent = os.getpid()
    return lambda: tie(death_signal, parent)
