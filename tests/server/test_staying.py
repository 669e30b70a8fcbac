"""A worker of control whose thread stays with a connection answers everything that comes, and lets nobody wait for it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER = """
import sys, threading
from gunicorn.app.base import BaseApplication
from haitang.server.processes.staying import StayingWorker

def answer(environ, start):
    body = f"{threading.get_ident()} {environ['PATH_INFO']} {len(environ['wsgi.input'].read())}".encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]

class Server(BaseApplication):
    def load_config(self):
        for name, value in dict(bind="unix:" + sys.argv[1], worker_class=StayingWorker, threads=int(sys.argv[2]), keepalive=75, loglevel="error", control_socket_disable=True).items():
            self.cfg.set(name, value)
    def load(self):
        return answer

Server().run()
"""


class Connection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("control", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self.path))

    def ask(self, path: str, body: bytes | None = None) -> list[str]:
        self.request("POST" if body else "GET", path, body)
        return self.getresponse().read().decode().split()


@contextmanager
def served(folder: Path, threads: int) -> Iterator[Path]:
    path = folder / "s"
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(path), str(threads)], start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        yield path
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def test_what_follows_on_a_connection_is_answered_in_order_and_at_once(tmp_path: Path) -> None:
    with served(tmp_path, 4) as path:
        one = Connection(path)
        told = [one.ask(f"/{number}", b"x" * number) for number in range(200)]
    assert [each[1:] for each in told] == [[f"/{number}", str(number)] for number in range(200)]
    assert len({each[0] for each in told}) < 50, "mostly by the thread that stayed"


def test_more_connections_than_threads_are_all_answered_while_others_are_idle(tmp_path: Path) -> None:
    with served(tmp_path, 1) as path:
        many = [Connection(path) for _ in range(8)]
        for round in range(20):
            assert [one.ask(f"/{round}")[1] for one in many] == [f"/{round}"] * 8
        time.sleep(0.1)
        assert many[3].ask("/later")[1] == "/later", "after a pause longer than it stays"
