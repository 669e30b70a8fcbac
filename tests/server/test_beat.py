"""Whether a process is alive is told by the time since the machine started, which nobody sets."""

import os
import time
from pathlib import Path

import pytest

from haitang.server.beat import STALE, beat, is_alive


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_jumps_makes_nobody_look_dead_or_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    beat(tmp_path, "one")
    steady, wall = time.monotonic(), time.time()
    monkeypatch.setattr(time, "time", lambda: wall + jump)
    assert is_alive(tmp_path, "one", os.getpid())
    monkeypatch.setattr(time, "monotonic", lambda: steady + STALE + 1)
    assert not is_alive(tmp_path, "one")
    beat(tmp_path, "one")
    assert is_alive(tmp_path, "one")
