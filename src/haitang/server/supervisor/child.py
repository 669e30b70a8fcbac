"""One child process: start it, wait until it answers, start it again when it dies, stop it."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from haitang.base.errors import error
from haitang.server.beat import STALE, is_alive
from haitang.server.supervisor.console import complain, say
from haitang.server.supervisor.death import tied_to_parent
from haitang.server.supervisor.logs import last_lines, open_log

DID_NOT_START = error("server.did_not_start", 500, "{name} 没有启动成功。日志 {log} 的末尾：\n{tail}")
FIRST_BACKOFF, LONGEST_BACKOFF = 0.2, 5.0
STEADY_SECONDS = 10.0  # after which a death is not told as one of a row: the next start waits no longer than the first
# Seconds without a beat after which a process is started anew: whoever is out of service that long does not come back by itself.
HUNG = 60.0

Answers = Callable[[int], Awaitable[bool]]


class Running(Protocol):
    """A process that runs or has run."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    async def wait(self) -> int: ...
    def send_signal(self, signal: int) -> None: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class Spec:
    """What to run. `start(log)` starts it, its output going to that descriptor, or raises OSError; `answers(pid)` says whether it is ready; `before` runs ahead of each start.

    `healthy(pid)` is asked every few seconds of one that has answered: False when only a new start can help it.
    """

    name: str
    start: Callable[[int], Awaitable[Running]]
    answers: Answers
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    start_seconds: float = 150.0
    before: Callable[[], None] = field(default=lambda: None)
    healthy: Answers | None = None
    check_seconds: float = 5.0


def beating(run: Path, name: str) -> Answers:
    """An `answers` of a process that beats: whether it does."""

    async def answers(pid: int) -> bool:
        return is_alive(run, name, pid, stale=STALE)

    return answers


def not_hung(run: Path, name: str, seconds: float = HUNG) -> Answers:
    """A `healthy` of a process that beats: False once it has not been seen to beat for so long. One look proves nothing: a predecessor that is still
    ending beats into the same file."""
    known, seen = 0, 0.0

    async def healthy(pid: int) -> bool:
        nonlocal known, seen
        if pid != known or is_alive(run, name, pid):
            known, seen = pid, time.monotonic()
        return time.monotonic() - seen < seconds

    return healthy


def program(
    command: Callable[[], list[str]], environment: Mapping[str, str], cwd: Path, death: signal.Signals = signal.SIGTERM
) -> Callable[[int], Awaitable[Running]]:
    """A `start` that runs a program: `command` is asked anew each time, and `death` is the signal it gets when the supervisor dies."""

    async def start(log: int) -> Running:
        return await asyncio.create_subprocess_exec(
            *command(), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=cwd, env=dict(environment),
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the rest in order
            preexec_fn=tied_to_parent(death),
        )  # fmt: skip

    return start


class Child:
    """A child under supervision."""

    def __init__(self, spec: Spec, run: Path, logs: Path) -> None:
        self.spec, self.run, self.logs = spec, run, logs
        self.process: Running | None = None
        self.restarts, self._noted = 0, False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0

    async def start(self) -> None:
        """Start, wait until it answers (DID_NOT_START otherwise), then keep it alive in the background."""
        await self._spawn()
        if not await self._until_it_answers():
            await self._end()
            raise DID_NOT_START(name=self.spec.name, log=self.logs / f"{self.spec.name}.log", tail=last_lines(self.logs, self.spec.name))
        self._keeper = asyncio.create_task(self._keep(), name=self.spec.name)

    async def stop(self) -> None:
        """Stop it for good: its signal first, SIGKILL when it takes too long."""
        if self._keeper:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        await self._end()

    async def _spawn(self) -> None:
        await asyncio.to_thread(self.spec.before)
        log = open_log(self.logs, self.spec.name)
        try:
            self.process = await self.spec.start(log)
        finally:
            os.close(log)
        self._note()

    async def _until_it_answers(self) -> bool:
        until = time.monotonic() + self.spec.start_seconds
        while time.monotonic() < until and self.process and self.process.returncode is None:
            if await self.spec.answers(self.pid):
                return True
            await asyncio.sleep(0.05)
        return False

    async def _keep(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            began = time.monotonic()
            code = await self._ended()
            self._forget()
            if time.monotonic() - began > STEADY_SECONDS:
                backoff = FIRST_BACKOFF
            self.restarts += 1
            complain(f"{self.spec.name} 意外结束（{_reason(code)}），{backoff:.1f} 秒后重新启动。日志：{self.logs / self.spec.name}.log")
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF)
            while not await self._spawned():
                await asyncio.sleep(backoff)
            say(f"{self.spec.name} 已重新启动（第 {self.restarts} 次）。")

    async def _spawned(self) -> bool:
        """Start it again; False where not even that can be done now (a full disk, no memory for one more process)."""
        try:
            await self._spawn()
        except OSError as reason:
            complain(f"{self.spec.name} 暂时无法启动：{reason}")
            return False
        return True

    async def _ended(self) -> int:
        """The exit code, once it has ended; one that lives and cannot recover is ended."""
        assert self.process
        watching = asyncio.create_task(self._watch())
        try:
            return await self.process.wait()
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        if self.spec.healthy is None or not await self._until_it_answers():
            return
        while await self.spec.healthy(self.pid):
            if not self._noted:
                self._note()
            await asyncio.sleep(self.spec.check_seconds)
        complain(f"{self.spec.name} 仍在运行但已不能工作，强制结束并重新启动。")
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    async def _end(self) -> None:
        if self.process and self.process.returncode is None:
            for what, seconds in ((self.spec.stop_signal, self.spec.stop_seconds), (signal.SIGKILL, 5.0)):
                with contextlib.suppress(ProcessLookupError):
                    self.process.send_signal(what)
                try:
                    await asyncio.wait_for(self.process.wait(), seconds)
                    break
                except TimeoutError:
                    complain(f"{self.spec.name} 在 {seconds:.0f} 秒内没有停止，强制结束。")
        self._forget()

    def _note(self) -> None:
        """Say for others which process it is. What runs is kept though no byte is left to say so (`_watch` says it later)."""
        file = self.run / f"{self.spec.name}.pid"
        draft = file.with_suffix(".pid.new")
        self._noted = False
        with contextlib.suppress(OSError):
            draft.write_text(f"{self.pid} {self.restarts}")
            draft.replace(file)
            self._noted = True

    def _forget(self) -> None:
        for suffix in ("pid", "beat"):
            (self.run / f"{self.spec.name}.{suffix}").unlink(missing_ok=True)


def _reason(code: int) -> str:
    return f"信号 {signal.Signals(-code).name}" if code < 0 else f"退出码 {code}"
