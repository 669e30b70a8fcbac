"""A MariaDB server of its own for the tests that read from MySQL, over TCP on the loopback with a password."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql

from haitang.server.testing.mariadb import program
from tests.database import _die_with_parent
from tests.ports import free_port

PASSWORD = "p%ss/w:rd@ 口令"


@contextmanager
def mariadb() -> Iterator[int]:
    """The port of a server with an empty database `source` and a user `reader` who may only read it."""
    folder = Path(tempfile.mkdtemp(prefix="haitang-mariadb-"))
    user = ["--user=root"] if os.geteuid() == 0 else []
    port, socket = free_port(), folder / "socket"
    made = subprocess.run(
        [str(program("mariadb-install-db")), "--no-defaults", f"--datadir={folder}/data", "--auth-root-authentication-method=normal", *user],
        capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    server = subprocess.Popen(
        [str(program("mariadbd")), "--no-defaults", f"--datadir={folder}/data", f"--socket={socket}", f"--port={port}",
         "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=8M", "--skip-log-bin", *user],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_die_with_parent,
    )  # fmt: skip
    try:
        _prepare(str(socket))
        yield port
    finally:
        server.kill()
        server.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(socket: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with pymysql.connect(unix_socket=socket, user="root") as connection, connection.cursor() as cursor:
                cursor.execute("create database source character set utf8mb4")
                cursor.execute("create user writer@127.0.0.1 identified by 'writer'")
                cursor.execute("grant all on source.* to writer@127.0.0.1")
                cursor.execute("create user reader@127.0.0.1 identified by %s", (PASSWORD,))
                cursor.execute("grant select on source.* to reader@127.0.0.1")
            return
        except pymysql.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("MariaDB did not start")
