"""A command that another process carries out: its streams, its code, its signals, and that it is done by one of them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.server.instances import wait_until

CARRIES_OUT = """
import sys, time
from pathlib import Path
from haitang.server import handover
handover.PATIENCE = 60
{change}
listening = handover.listen(Path(sys.argv[1]))
print("there", flush=True)
while True:
    handover.take(listening)
"""
ASKS = """
import sys
from pathlib import Path
from haitang.server import handover
handover.PATIENCE = 60  # with which a busy machine's other side still answers
handover.arguments = sys.argv[2:]
{change}
handover.hand_over(Path(sys.argv[1]))
print("own work")
"""
SLEEPS = "handover._carried_out = lambda given: (print('begun', flush=True), time.sleep(60))"
# What it asked for has begun before it waits for the end of it.
SLOW_TO_WAIT = "import time\ncode = handover._code\nhandover._code = lambda *given: (time.sleep(0.5), code(*given))[1]"
SAYS = "import os\nhandover._carried_out = lambda given: print(given, os.getcwd(), os.environ['WHO'], sys.stdin.read(), handover.arguments) or 3"


@pytest.fixture
def other(tmp_path: Path, request: pytest.FixtureRequest) -> "Iterator[subprocess.Popen[str]]":
    """The process that carries out; it is asked at `tmp_path / "run"`, deeper than an address may be long."""
    run = tmp_path / ("deep" * 30) / "run"
    run.mkdir(parents=True)
    (tmp_path / "run").symlink_to(run)
    script = CARRIES_OUT.format(change=getattr(request, "param", ""))
    with subprocess.Popen([sys.executable, "-c", script, str(run)], stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        yield process
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def ask(run: Path, *arguments: str, change: str = "", **more: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", ASKS.format(change=change), str(run), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)  # type: ignore[call-overload, no-any-return]


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_nobody_there_is_no_reason_not_to_work(tmp_path: Path) -> None:
    assert ask(tmp_path).communicate(timeout=60)[0] == "own work\n"


def test_a_socket_that_nobody_serves_any_more_is_none(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    other.kill()
    other.wait()
    assert ask(tmp_path / "run").communicate(timeout=60)[0] == "own work\n"


def test_a_command_speaks_through_the_streams_of_who_asked(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    asked = ask(tmp_path / "run", "no-such-command")
    out, wrong = asked.communicate(timeout=60)
    assert (asked.returncode, out) == (2, "")
    assert "no-such-command" in wrong


@pytest.mark.parametrize("other", [SAYS], indirect=True)
def test_arguments_folder_environment_and_code_are_those_of_who_asked(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    asked = ask(tmp_path / "run", "重庆", cwd=tmp_path, env={**os.environ, "WHO": "me"})
    assert asked.communicate("typed", timeout=60)[0] == f"['重庆'] {tmp_path} me typed None\n"
    assert asked.returncode == 3


@pytest.mark.parametrize("other", [SLEEPS], indirect=True)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_command_ends_with_who_asked(tmp_path: Path, other: "subprocess.Popen[str]", number: int, code: int) -> None:
    asked = ask(tmp_path / "run", change=SLOW_TO_WAIT)
    assert asked.stdout is not None
    assert asked.stdout.readline() == "begun\n"
    (working,) = children(other.pid)
    asked.send_signal(number)
    assert asked.wait(60) == code
    wait_until(lambda: Path(f"/proc/{working}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z")  # nobody reaps it here


@pytest.mark.parametrize("other", ["def failing(given): raise OSError('the disk is gone')\nhandover._carried_out = failing"], indirect=True)
def test_what_goes_wrong_on_the_way_is_said_to_who_asked(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    asked = ask(tmp_path / "run")
    assert "the disk is gone" in asked.communicate(timeout=60)[1]
    assert asked.returncode == 1


@pytest.mark.parametrize("other", [SLEEPS], indirect=True)
def test_who_asked_is_told_that_the_process_died(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    asked = ask(tmp_path / "run")
    assert asked.stdout is not None
    assert asked.stdout.readline() == "begun\n"
    (working,) = children(other.pid)
    os.kill(working, signal.SIGKILL)
    assert "server.command_died" in asked.communicate(timeout=60)[1]


def test_only_its_own_user_can_ask(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    assert (tmp_path / "run" / "commands").stat().st_mode & 0o077 == 0
