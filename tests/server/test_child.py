"""A child under supervision, with small real programs."""

import asyncio
import os
import re
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from haitang.base.errors import HaitangError
from haitang.server.beat import beat
from haitang.server.supervisor.child import STEADY_SECONDS, Child, Spec, not_hung, program
from tests.waiting import until


async def at_once(pid: int) -> bool:
    return True


async def never(pid: int) -> bool:
    return False


def child(tmp_path: Path, text: str, **more: object) -> Child:
    start = program(lambda: [sys.executable, "-c", text], os.environ, tmp_path)
    spec = Spec("one", start, more.pop("answers", at_once), **more)  # type: ignore[arg-type]
    return Child(spec, tmp_path, tmp_path)


def test_what_dies_is_started_again(tmp_path: Path) -> None:
    async def go() -> tuple[int, int, int]:
        one = child(tmp_path, "import time; time.sleep(60)")
        await one.start()
        first = one.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: one.pid != first)
        second = one.pid
        await one.stop()
        return first, second, one.restarts

    first, second, restarts = asyncio.run(go())
    assert first != second
    assert restarts == 1


def test_what_lives_but_cannot_recover_is_started_again(tmp_path: Path) -> None:
    sick: set[int] = set()

    async def healthy(pid: int) -> bool:
        return pid not in sick

    async def go() -> tuple[int, int]:
        one = child(tmp_path, "import time; time.sleep(60)", healthy=healthy, check_seconds=0.05)
        await one.start()
        first = one.pid
        sick.add(first)
        await until(lambda: one.pid != first)
        await asyncio.sleep(0.5)
        second, restarts = one.pid, one.restarts
        await one.stop()
        return second, restarts

    assert asyncio.run(go())[1] == 1


def test_what_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    async def go() -> int | None:
        program = "import pathlib, signal, time; signal.signal(15, signal.SIG_IGN); pathlib.Path('ignores').touch(); time.sleep(60)"
        one = child(tmp_path, program, stop_seconds=0.3)
        await one.start()
        await until((tmp_path / "ignores").exists)
        await one.stop()
        assert one.process
        await until(lambda: one.process.returncode is not None)  # on a busy machine even what is killed takes its time
        return one.process.returncode

    assert asyncio.run(go()) == -signal.SIGKILL


def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    one = child(tmp_path, "raise SystemExit('no disk')", answers=never)
    with pytest.raises(HaitangError, match="no disk"):
        asyncio.run(one.start())


def test_one_that_beats_no_more_is_hung_and_one_whose_predecessor_still_beats_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    healthy = not_hung(tmp_path, "one", 3)

    def asked(pid: int, after: float = 0) -> bool:
        now[0] += after
        return asyncio.run(healthy(pid))  # type: ignore[arg-type]

    beat(tmp_path, "one", os.getpid())
    assert asked(os.getpid())
    beat(tmp_path, "one", os.getppid())  # the predecessor
    assert asked(os.getpid())
    beat(tmp_path, "one", os.getpid())
    assert asked(os.getpid(), after=4)
    (tmp_path / "one.beat").unlink()
    assert asked(os.getpid())
    assert not asked(os.getpid(), after=4)
    assert asked(os.getppid())  # a new one has its own time


LIVES_OR_DIES = (
    "import os, pathlib, time; pathlib.Path('dies').exists() or (pathlib.Path('lives').write_text(f'{os.getpid()}.'), time.sleep(600))"
)


def test_one_that_ran_a_while_is_back_at_once_whatever_died_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    now = [0.0]  # no time passes but what is said here
    monkeypatch.setattr("haitang.server.supervisor.child.complain", said.append)
    monkeypatch.setattr("haitang.server.supervisor.child.time", SimpleNamespace(monotonic=lambda: now[0]))

    def lives(one: Child) -> bool:
        file = tmp_path / "lives"
        return file.exists() and file.read_text() == f"{one.pid}."

    async def go() -> None:
        one = child(tmp_path, LIVES_OR_DIES)
        await one.start()
        await until(lambda: lives(one))
        (tmp_path / "dies").touch()
        os.kill(one.pid, signal.SIGKILL)
        await until(lambda: one.restarts == 4)
        (tmp_path / "dies").unlink()
        await until(lambda: lives(one))
        now[0] += STEADY_SECONDS + 1
        os.kill(one.pid, signal.SIGKILL)
        await until(lambda: len(said) == 5)
        await until(lambda: lives(one))
        await one.stop()

    asyncio.run(go())
    assert [float(re.findall(r"([0-9.]+) 秒后", each)[0]) for each in said] == [0.2, 0.4, 0.8, 1.6, 0.2]
