"""A disk that was full for a while: what stopped for it goes on once there is room, or is started anew."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from haitang.base.settings import settings, use
from haitang.server.supervisor import engines
from haitang.server.supervisor.engines import Disk, gave_up
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.stream import unanswered
from haitang.support.infrastructure.stream.client import Stream, StreamUnavailable, connect
from tests.server.test_child import child
from tests.support.infrastructure.nats_server import NatsServer
from tests.support.infrastructure.stream.test_client import batch


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A folder that holds 4 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path) -> Path:
    file = folder / "filler"
    with file.open("wb", 0) as out, suppress(OSError):
        while True:
            out.write(bytes(4096))
    return file


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    before = settings()
    use(replace(before, data=tmp_path))
    settings().run.mkdir()
    yield settings().run
    use(before)


def test_a_stream_that_does_not_answer_any_more_is_told_from_one_that_does(small: Path, run: Path) -> None:
    server = NatsServer(small)
    server.start()

    async def refused(stream: Stream) -> bool:
        try:
            for _ in range(100):  # the last block that is there already takes a few
                await stream.publish(batch(), deadline=10)
        except StreamUnavailable:
            return True
        return False

    async def play() -> None:
        stream = await connect(server.url)
        await stream.ensure(max_bytes=1 << 20)
        await stream.publish(batch())
        assert not await gave_up(server.url, run)
        filler = fill(small)
        assert await refused(stream)
        filler.unlink()
        trying = asyncio.create_task(stream.publish(batch(), deadline=110))
        async with asyncio.timeout(60):  # an attempt takes two seconds, and a busy machine longer
            while not await gave_up(server.url, run):
                await asyncio.sleep(0.1)
        server.kill()
        server.start()
        assert await trying > 1
        assert not await gave_up(server.url, run)
        await stream.close()

    try:
        asyncio.run(play())
    finally:
        server.stop()


def test_a_listener_that_cannot_write_its_counts_goes_on_and_writes_them_later(small: Path) -> None:
    counters = Counters("one.json", ["received"])
    filler = fill(small)
    counters.write(small)
    filler.unlink()
    counters.write(small)
    assert json.loads((small / "one.json").read_text())["counters"] == {"received": 0}


def test_a_stream_that_answers_nobody_after_a_full_disk_is_started_anew_once(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unanswered, "FRESH", 600.0)  # however long it takes from one line to the next
    monkeypatch.setattr(engines, "AFTER_FULL", 600.0)
    disk = Disk(small, room=1 << 20)
    unanswered.note(small)
    assert not disk.full()
    assert not disk.broke_the_stream()  # the disk was not full: it may only be slow
    filler = fill(small)
    assert disk.full()
    filler.unlink()
    unanswered.take_back(small)
    assert not disk.broke_the_stream()
    unanswered.note(small)
    assert not disk.full()
    assert disk.broke_the_stream()
    assert not disk.broke_the_stream()


def test_a_process_that_cannot_be_noted_down_is_kept_and_noted_later(small: Path) -> None:

    async def healthy(pid: int) -> bool:
        return True

    async def go() -> tuple[int, int]:
        one = child(small, "import time; time.sleep(60)", healthy=healthy, check_seconds=0.05)
        filler = fill(small)
        await one.start()
        filler.unlink()
        while not (small / "one.pid").exists():
            await asyncio.sleep(0.05)
        told = int((small / "one.pid").read_text().split()[0]), one.pid
        await one.stop()
        return told

    told, runs = asyncio.run(asyncio.wait_for(go(), 60))
    assert told == runs


def test_the_supervisor_lives_on_though_nothing_can_be_said() -> None:
    program = "import os; from haitang.server.supervisor.console import complain, plain, say\n"
    program += "for n in range(3000): plain('full'), say('full'), complain('full')\nos._exit(42)"
    with open("/dev/full", "w") as full:
        assert subprocess.run([sys.executable, "-c", program], stdout=full, stderr=full, timeout=60).returncode == 42


def test_a_command_that_finds_the_disk_full_says_so_and_what_to_do() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "haitang.server.cli", "bench"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["磁盘已满（[Errno 28] No space left on device）。请清理磁盘或扩容后重试。  [server.disk_full]"]
