"""The database of a test run goes away with the run, whatever is still connected to it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.database import start, stop

RUN = """
import os, time
from pathlib import Path
import psycopg

def test_it(tmp_path):
    open_still = psycopg.connect(os.environ["HAITANG_DATABASE_URL"])
    open_still.execute("select 1")
    Path(os.environ["TOLD"]).write_text(os.environ["HAITANG_DATABASE_URL"])
    time.sleep(60)
"""


def test_a_connection_left_open_does_not_hold_the_server_up() -> None:
    server, process = start()
    left_open = psycopg.connect(server.url)
    left_open.execute("select 1")
    before = time.monotonic()
    stop(server, process)
    assert time.monotonic() - before < 5
    assert process.poll() is not None
    assert not server.directory.parent.exists()


def test_a_server_that_does_not_answer_is_killed() -> None:
    server, process = start()
    process.send_signal(signal.SIGSTOP)
    stop(server, process, patience=0.3)
    assert process.poll() == -signal.SIGKILL


def test_a_run_that_is_killed_leaves_no_server(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / "test_hangs.py").write_text(RUN, "utf-8")
    environment = {
        **{n: v for n, v in os.environ.items() if n != "HAITANG_DATABASE_URL" and not n.startswith("PYTEST_XDIST")},
        "TOLD": str(told),
    }
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "tests.database", "-p", "no:cacheprovider", str(tmp_path / "test_hangs.py"), "--rootdir", str(tmp_path)],
        cwd=Path(__file__).parents[1], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    _within(40, told.exists)
    run.kill()
    run.wait(10)
    port = told.read_text("utf-8").rpartition(":")[2].split("/")[0]
    _within(10, lambda: not _listens(port))


def _listens(port: str) -> bool:
    return any(f"-p\0{port}\0".encode() in _command(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


def _within(seconds: float, true) -> None:  # type: ignore[no-untyped-def]
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)
