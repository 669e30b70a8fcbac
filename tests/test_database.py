"""The database of a test run goes away with the run, whatever is still connected to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.database import start, stop
from tests.server.instances import wait_until

RUN = """
import os, time
from pathlib import Path
import psycopg

def test_it(tmp_path):
    open_still = psycopg.connect(os.environ["HAITANG_DATABASE_URL"])
    open_still.execute("select 1")
    Path(os.environ["TOLD"]).write_text(os.environ["HAITANG_DATABASE_URL"] + "\\n")
    time.sleep(600)
"""


def test_a_connection_left_open_does_not_hold_the_server_up() -> None:
    server, process = start()
    left_open = psycopg.connect(server.url)
    left_open.execute("select 1")
    stop(server, process)
    assert process.poll() == 0, "it shut down by itself, and was not killed after a while"
    assert not server.directory.parent.exists()


def test_a_server_that_does_not_answer_is_killed() -> None:
    server, process = start()
    process.send_signal(signal.SIGSTOP)
    stop(server, process, patience=0.3)
    assert process.poll() == -signal.SIGKILL


@pytest.mark.timeout(300)  # a run of its own, with a server of its own, on cores that other tests share
def test_a_run_that_is_killed_leaves_no_server(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / "test_hangs.py").write_text(RUN, "utf-8")
    environment = {
        **{n: v for n, v in os.environ.items() if n != "HAITANG_DATABASE_URL"},  # with the name of this worker: it has ports of its own
        "TOLD": str(told),
    }
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "tests.database", "-p", "no:cacheprovider", str(tmp_path / "test_hangs.py"), "--rootdir", str(tmp_path)],
        cwd=Path(__file__).parents[1], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_until(lambda: told.exists() and told.read_text("utf-8").endswith("\n"), 200)
        port = told.read_text("utf-8").rpartition(":")[2].split("/")[0]
        assert _listens(port)
    finally:
        run.kill()
    run.wait(60)
    wait_until(lambda: not _listens(port), 60)


def _listens(port: str) -> bool:
    return any(f"-p\0{port}\0".encode() in _command(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _command(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""
