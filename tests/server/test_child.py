"""A child under supervision, with small real programs."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from haitang.base.errors import HaitangError
from haitang.server.beat import beat
from haitang.server.supervisor.child import Child, Spec, not_hung, program


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
        await asyncio.sleep(1.5)
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
        while one.pid == first or one.restarts == 0:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        second, restarts = one.pid, one.restarts
        await one.stop()
        return second, restarts

    assert asyncio.run(asyncio.wait_for(go(), 30))[1] == 1


def test_what_ignores_its_signal_is_killed(tmp_path: Path) -> None:
    async def go() -> int | None:
        one = child(tmp_path, "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)", stop_seconds=0.3)
        await one.start()
        await asyncio.sleep(0.5)
        await one.stop()
        return one.process.returncode if one.process else None

    assert asyncio.run(go()) == -signal.SIGKILL


def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    one = child(tmp_path, "raise SystemExit('no disk')", answers=never)
    with pytest.raises(HaitangError, match="no disk"):
        asyncio.run(one.start())


def test_one_that_beats_no_more_is_hung_and_one_whose_predecessor_still_beats_is_not(tmp_path: Path) -> None:
    asked = not_hung(tmp_path, "one", 0.3)
    beat(tmp_path, "one", os.getpid())

    async def go() -> None:
        assert await asked(os.getpid())
        beat(tmp_path, "one", os.getppid())  # the predecessor
        assert await asked(os.getpid())
        beat(tmp_path, "one", os.getpid())
        await asyncio.sleep(0.4)
        assert await asked(os.getpid())
        (tmp_path / "one.beat").unlink()
        assert await asked(os.getpid())
        await asyncio.sleep(0.4)
        assert not await asked(os.getpid())
        assert await asked(os.getppid())  # a new one has its own time

    asyncio.run(go())


def test_one_that_ran_a_while_is_back_at_once_whatever_died_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haitang.server.supervisor.child.STEADY_SECONDS", 0.5)

    async def go() -> float:
        one = child(tmp_path, "import pathlib, time; p = pathlib.Path('dies'); time.sleep(0 if p.exists() else 60)")
        (tmp_path / "dies").touch()
        await one.start()
        while one.restarts < 4:  # it now waits for 1.6 s
            await asyncio.sleep(0.05)
        (tmp_path / "dies").unlink()
        await asyncio.sleep(1.6 + 1)
        before, began = one.pid, time.monotonic()
        os.kill(before, signal.SIGKILL)
        while one.pid == before:
            await asyncio.sleep(0.05)
        took = time.monotonic() - began
        await one.stop()
        return took

    assert asyncio.run(asyncio.wait_for(go(), 60)) < 1
