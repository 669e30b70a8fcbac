"""Our processes, forked from one that has everything loaded (`server.processes.zygote`); the supervisor's side."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import msgspec

from haitang.base.settings import Settings
from haitang.server.beat import is_alive
from haitang.server.instance import CHECKOUT, environment
from haitang.server.processes import ZYGOTE
from haitang.server.supervisor.child import HUNG, Running, Spec, beating, not_hung
from haitang.server.supervisor.death import PR_SET_CHILD_SUBREAPER, prctl, tied_to_parent
from haitang.server.supervisor.logs import open_log

# Of malloc (glibc), said before anything is loaded: libraries start threads then, each with an arena that gives back what it freed. What is forked would use these, and have
# the pages of each chunk of a file cleared anew, which took a sixth of gathering's time.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
READY_SECONDS = 60.0
FORK_SECONDS = 10.0
AGAIN_SECONDS = 1.0  # before an heir is asked for again, where none could be had or it died


class Order(msgspec.Struct):
    """Fork process `name`. It never comes to life after `until`, in seconds of the machine's monotonic clock; `death` is the signal it gets when the supervisor dies.

    With it come the descriptor of its log, and for an heir that of its own orders.
    """

    name: str
    death: int
    until: float


@dataclass
class Heir:
    """A zygote that was forked from the one that works, and waits for its first order until that one dies."""

    process: "Forked"
    orders: socket.socket

    def __post_init__(self) -> None:
        self.taken = asyncio.Event()

    @property
    def lives(self) -> bool:
        return self.process.returncode is None

    async def over(self) -> None:
        """Wait until it is an heir no longer: it died, or its time has come."""
        waits = [asyncio.create_task(self.process.wait()), asyncio.create_task(self.taken.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()


class Zygote:
    """Where processes come from. It has an heir at all times, since loading all the code anew takes seconds, and many more under load."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._orders: socket.socket | None = None
        self._pid, self._loaded = 0, False
        self._one = asyncio.Lock()
        self._heir: Heir | None = None
        self._succession: asyncio.Task[None] | None = None

    def spec(self) -> Spec:
        run = self._settings.run
        return Spec(ZYGOTE, self._start, beating(run, ZYGOTE), healthy=not_hung(run, ZYGOTE))

    async def fork(self, name: str, log: int, death: signal.Signals = signal.SIGTERM) -> "Forked":
        """Start process `name`, its output going to the descriptor `log`; raises OSError where that cannot be done now."""
        return await self._forked(name, [log], death)

    async def stop(self) -> None:
        """End the heir, who has nothing to do any more."""
        if self._succession:
            self._succession.cancel()
            with suppress(asyncio.CancelledError):
                await self._succession
        if self._heir and self._heir.lives:
            self._heir.process.kill()
            await self._heir.process.wait()

    async def _forked(self, name: str, given: Sequence[int], death: signal.Signals = signal.SIGTERM) -> "Forked":
        async with self._one:
            await self._until_ready()
            return Forked(await asyncio.to_thread(self._order, name, given, death))

    async def _start(self, log: int) -> Running:
        heir, self._heir = self._heir, None
        self._close()
        if heir:
            heir.taken.set()
        if heir and heir.lives:
            self._orders, self._pid, self._loaded = heir.orders, heir.process.pid, True
            return heir.process
        process = await self._load(log)
        if not self._succession:
            self._succession = asyncio.create_task(self._have_heirs())
        return process

    async def _have_heirs(self) -> None:
        """One after the other, as long as the supervisor runs. An order for the next is the first that an heir gets, and makes it the zygote."""
        while True:
            with suppress(OSError):
                heir = self._heir = await self._new_heir()
                await heir.over()
                if heir.taken.is_set():
                    continue
            await asyncio.sleep(AGAIN_SECONDS)

    async def _new_heir(self) -> Heir:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log = open_log(self._settings.data / "logs", ZYGOTE)
        try:
            return Heir(await self._forked(ZYGOTE, [log, theirs.fileno()]), ours)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(log)

    async def _load(self, log: int) -> Running:
        """One that loads all the code."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "haitang.server.cli", "run", ZYGOTE, stdin=theirs.fileno(), stdout=log, stderr=log, cwd=CHECKOUT,
                env={**environment(self._settings), **_ONE_ARENA}, start_new_session=True, preexec_fn=tied_to_parent(signal.SIGTERM),
            )  # fmt: skip
        finally:
            theirs.close()
        self._orders, self._pid, self._loaded = ours, process.pid, False
        return process

    async def _until_ready(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while not (self._orders and (self._loaded or is_alive(self._settings.run, ZYGOTE, self._pid, stale=HUNG))):
            if time.monotonic() > until:
                raise TimeoutError("the process that the others are forked from is not there")
            await asyncio.sleep(0.05)

    def _order(self, name: str, given: Sequence[int], death: signal.Signals) -> int:
        orders = self._orders
        assert orders
        try:
            with _adopting():
                orders.settimeout(FORK_SECONDS + 1)
                order = Order(name, int(death), time.monotonic() + FORK_SECONDS)
                socket.send_fds(orders, [msgspec.json.encode(order)], given)
                born = int(orders.recv(32) or 0)
        except OSError:
            if orders is self._orders:
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
