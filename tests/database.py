"""A real PostgreSQL for each process of the run, made once; each test rolls back."""

import atexit
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from haitang.support.infrastructure.embedded.postgres import Postgres
from tests.ports import free_port

os.environ.setdefault("HAITANG_OUTGOING_ALLOW", "127.0.0.0/8 ::1")  # the services that tests talk to are on this machine
for _name in ("no_proxy", "NO_PROXY"):  # nor are they reached by the proxy that this machine may need to get out
    os.environ[_name] = ",".join([*filter(None, [os.environ.get(_name)]), "127.0.0.1", "localhost"])
FAST_SHUTDOWN = signal.SIGINT  # PostgreSQL's: connections are cut off, while SIGTERM would wait for them
_running: list[tuple[Postgres, "subprocess.Popen[bytes]"]] = []


def _die_with_parent() -> None:
    """A run that is killed leaves no server behind: Linux then sends it the fast shutdown (PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(FAST_SHUTDOWN))


def start() -> tuple[Postgres, "subprocess.Popen[bytes]"]:
    """A server of its own, with an empty database `haitang`."""
    server = Postgres(Path(tempfile.mkdtemp(prefix="haitang-test-")) / "postgres", free_port())
    if os.geteuid() == 0:
        server.directory.parent.chmod(0o711)
    server.prepare()
    process = subprocess.Popen(
        [*server.command(), "-c", "fsync=off", "-c", "autovacuum=off"],  # its transactions hold up, at any moment, what the ledger seals
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent,
    )  # fmt: skip
    _running.append((server, process))
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            with psycopg.connect(server.url.removesuffix("/haitang") + "/postgres", autocommit=True, connect_timeout=3) as connection:
                connection.execute("create database haitang")
            return server, process
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")


def when_free(admin: psycopg.Connection[Any], statement: str, patience: float = 60) -> None:
    """Make or drop a database as soon as nobody is connected to the one concerned: PostgreSQL waits five seconds for sessions that are ending, then refuses."""
    until = time.monotonic() + patience
    while True:
        try:
            admin.execute(statement)
            return
        except psycopg.errors.ObjectInUse:
            if time.monotonic() > until:
                raise


def stop(server: Postgres, process: "subprocess.Popen[bytes]", patience: float = 60) -> None:
    """Stop a server whoever is still connected; one that does not stop in `patience` seconds is killed. Its folder goes too."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.send_signal(FAST_SHUTDOWN)
        process.wait(patience)
    if process.poll() is None:
        process.kill()
        process.wait(60)
    if (server, process) in _running:
        _running.remove((server, process))
    shutil.rmtree(server.directory.parent, ignore_errors=True)


@atexit.register
def _stop_all() -> None:
    for server, process in list(_running):
        stop(server, process)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before Django reads its settings. Each worker of xdist starts its own: what one holds open would keep another's ledger from sealing."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "haitang.server.django_settings"
    distributes = getattr(early_config.known_args_namespace, "numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    if "HAITANG_DATABASE_URL" not in os.environ and not distributes:
        os.environ["HAITANG_DATABASE_URL"] = start()[0].url


def pytest_unconfigure(config: pytest.Config) -> None:
    _stop_all()
