"""A real PostgreSQL for the whole run, made once; each test rolls back."""

import atexit
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from haitang.support.infrastructure.embedded.postgres import Postgres

_running: list[subprocess.Popen[bytes]] = []


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def _start() -> tuple[Postgres, subprocess.Popen[bytes]]:
    server = Postgres(Path(tempfile.mkdtemp(prefix="haitang-test-")) / "postgres", free_port())
    if os.geteuid() == 0:
        server.directory.parent.chmod(0o711)
    server.prepare()
    process = subprocess.Popen(
        [*server.command(), "-c", "fsync=off"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    atexit.register(process.terminate)
    for _ in range(200):
        try:
            psycopg.connect(server.url.removesuffix("/haitang") + "/postgres", autocommit=True).execute("create database haitang")
            return server, process
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not start")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before Django reads its settings; xdist's workers inherit the address."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "haitang.server.django_settings"
    if "HAITANG_DATABASE_URL" not in os.environ:
        server, process = _start()
        _running.append(process)
        os.environ["HAITANG_DATABASE_URL"] = server.url


def pytest_unconfigure(config: pytest.Config) -> None:
    for process in _running:
        process.terminate()
        process.wait(10)
