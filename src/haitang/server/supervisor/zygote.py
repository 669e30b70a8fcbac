"""Our processes, forked from one that has everything loaded (`server.processes.zygote`); the supervisor's side."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from haitang.base.settings import Settings
from haitang.server.beat import is_alive
from haitang.server.instance import CHECKOUT, environment
from haitang.server.processes import ZYGOTE
from haitang.server.supervisor.child import HUNG, Running, Spec, beating, not_hung
from haitang.server.supervisor.death import PR_SET_CHILD_SUBREAPER, prctl, tied_to_parent

READY_SECONDS = 60.0
FORK_SECONDS = 10.0


class Order(msgspec.Struct):
    """Fork process `name`. It never comes to life after `until`, in seconds of the machine's monotonic clock; `death` is the signal it gets when the supervisor dies."""

    name: str
    death: int
    until: float


class Zygote:
    """Where processes come from."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._orders: socket.socket | None = None
        self._pid = 0
        self._one = asyncio.Lock()

    def spec(self) -> Spec:
        run = self._settings.run
        return Spec(ZYGOTE, self._start, beating(run, ZYGOTE), healthy=not_hung(run, ZYGOTE))

    async def fork(self, name: str, log: int, death: signal.Signals = signal.SIGTERM) -> "Forked":
        """Start process `name`, its output going to the descriptor `log`; raises OSError where that cannot be done now."""
        async with self._one:
            await self._until_ready()
            return Forked(await asyncio.to_thread(self._order, name, log, death))

    async def _start(self, log: int) -> Running:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._close()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "haitang.server.cli", "run", ZYGOTE, stdin=theirs.fileno(), stdout=log, stderr=log, cwd=CHECKOUT,
                env=environment(self._settings), start_new_session=True, preexec_fn=tied_to_parent(signal.SIGTERM),
            )  # fmt: skip
        finally:
            theirs.close()
        self._orders, self._pid = ours, process.pid
        return process

    async def _until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not (self._orders and is_alive(self._settings.run, ZYGOTE, self._pid, stale=HUNG)):
            if time.monotonic() > until:
                raise TimeoutError("the process that the others are forked from is not there")
            await asyncio.sleep(0.05)

    def _order(self, name: str, log: int, death: signal.Signals) -> int:
        assert self._orders
        try:
            with _adopting():
                self._orders.settimeout(FORK_SECONDS + 1)
                order = Order(name, int(death), time.monotonic() + FORK_SECONDS)
                socket.send_fds(self._orders, [msgspec.json.encode(order)], [log])
                born = int(self._orders.recv(32) or 0)
        except OSError:
            self._close()  # an answer that comes late must not be taken for the next one; without orders it ends and is started anew
            raise
        if not born:
            raise ConnectionResetError("the process that the others are forked from is gone")
        return born

    def _close(self) -> None:
        if self._orders:
            self._orders.close()
        self._orders = None


class Forked:
    """A process that became ours by adoption, with the part of asyncio's Process that a child needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        threading.Thread(target=self._wait, name=f"wait {pid}", daemon=True).start()

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _wait(self) -> None:
        try:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:  # not adopted: it ends itself
            self.returncode = 1
        with suppress(RuntimeError):  # the supervisor has ended
            self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def _adopting() -> Iterator[None]:
    """What becomes an orphan below us meanwhile becomes our child; at other times it is the machine's, as what an engine leaves when it dies."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0)
