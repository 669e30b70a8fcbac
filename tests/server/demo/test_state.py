"""What marks a demonstration, and what may be removed."""

import asyncio
import json
from pathlib import Path

import pytest

from haitang.base.errors import HaitangError
from haitang.server.demo import state
from haitang.server.demo.console import follow
from tests.server.instances import haitang
from tests.waiting import until


def test_steps_that_are_done_stay_done(tmp_path: Path) -> None:
    state.write(tmp_path, doing="hours", percent=12)
    state.finish(tmp_path, "hours")
    state.write(tmp_path, percent=80)
    assert state.done(tmp_path, "hours")
    assert not state.done(tmp_path, "cases")
    assert state.read(tmp_path)["percent"] == 80


def test_a_demonstration_does_not_begin_on_other_data(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(HaitangError, match="has_other_data"):
        state.refuse_mixture(tmp_path, demo=True)
    state.refuse_mixture(tmp_path, demo=False)


def test_a_demonstration_is_not_started_as_anything_else(tmp_path: Path) -> None:
    state.write(tmp_path)
    state.refuse_mixture(tmp_path, demo=True)
    with pytest.raises(HaitangError, match="is_a_demo"):
        state.refuse_mixture(tmp_path, demo=False)


def test_the_command_removes_a_demonstration_whole(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    (folder / "lake").mkdir(parents=True)
    (folder / "lake" / "a.parquet").write_bytes(b"x" * 1000)
    state.write(folder)
    told = haitang("demo", "remove", "--data", str(folder), "--yes", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["files"] == 2
    assert not folder.exists()


def test_the_command_leaves_anything_else_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    told = haitang("demo", "remove", "--data", str(tmp_path), "--yes")
    assert told.returncode == 1
    assert "demo.not_a_demo" in told.stderr
    assert (tmp_path / "mine").read_text() == "kept"


def test_the_console_follows_until_all_is_there(tmp_path: Path) -> None:
    said: list[str] = []

    async def watched() -> None:
        state.write(tmp_path, doing="hours", percent=43)
        following = asyncio.create_task(follow(tmp_path, said.append, look=0.01))
        async with asyncio.timeout(60):
            await until(lambda: said)
            state.write(tmp_path, doing="done", percent=100)
            await following

    asyncio.run(watched())
    assert said[0].startswith("正在装入演示数据 43%")
    assert len(said) == 2
