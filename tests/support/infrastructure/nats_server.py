"""A real NATS server for tests: started, killed and started again over the same store."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from tests.ports import free_port

CONFIG = """
listen: 127.0.0.1:{port}
jetstream {{ store_dir: "{store}", sync_interval: always, max_file_store: 4GB, max_memory_store: 16MB }}
max_payload: 8MB
"""
PATIENCE = 60.0  # seconds in which it starts, answers and ends, however busy the machine is
T = TypeVar("T")


async def answered(ask: Callable[[], Awaitable[T]]) -> T:
    """What the server says to a question about the stream, which is asked again where it did not answer in time."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with suppress(TimeoutError):
                return await ask()


class NatsServer:
    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self._config = directory / "nats.conf"
        self._config.write_text(CONFIG.format(port=self.port, store=directory / "store"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sys.executable).parent / "nats-server"
        self._process = subprocess.Popen(
            [str(program), "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"NATS did not start (ended with {self._process.poll()})")

    def kill(self) -> None:
        """As by kill -9."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)

    def stand_still(self) -> None:
        """It stays connected and answers nothing until `go_on`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        # Until the last of its threads has stopped: on a busy machine another one still answers.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self.go_on()  # one that stands still hears nothing
            self._process.wait(PATIENCE)
