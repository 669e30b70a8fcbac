"""The supervisor of an instance."""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import replace
from typing import Any

from haitang.base.errors import HaitangError, error
from haitang.base.settings import Settings
from haitang.hub.data.lake.s3 import Access, is_s3
from haitang.server import instance
from haitang.server.demo import console, state
from haitang.server.processes import names
from haitang.server.supervisor import folders, logs
from haitang.server.supervisor.child import Child, Spec
from haitang.server.supervisor.console import complain, plain, say
from haitang.server.supervisor.engines import engines
from haitang.server.supervisor.processes import processes
from haitang.server.supervisor.zygote import Zygote
from haitang.support.infrastructure.embedded.ports import is_free, kept_port
from haitang.support.infrastructure.embedded.secrets import kept_secret

PORT_TAKEN = error("server.port_taken", 409, "端口 {port}（{name}）已被占用。请停止占用它的程序，或用 --{name} 另选端口。")
PREPARE_FAILED = error("server.prepare_failed", 500, "准备数据库或声明失败（退出码 {code}），没有启动。请按上面的提示处理后重试。")


class Supervisor:
    """Starts, watches and stops the children of one instance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.children: list[Child] = []
        self._zygote: Zygote | None = None
        self._stop = asyncio.Event()

    async def run(self) -> int:
        """Run the instance until Ctrl-C or SIGTERM; gives the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop.set)
        started = asyncio.create_task(self._start())
        waiting = asyncio.create_task(self._stop.wait())
        await asyncio.wait({started, waiting}, return_when=asyncio.FIRST_COMPLETED)
        try:
            if started.done():
                started.result()
                following = asyncio.create_task(console.follow(self.settings.data, say)) if self.settings.demo else None
                await self._watch()
                if following:
                    following.cancel()
            else:
                started.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await started
        except HaitangError as failure:
            complain(failure.sentence)
            return 1
        finally:
            waiting.cancel()
            await self._end()
        return 0

    async def _start(self) -> None:
        plain(f"海棠 Haitang · 数据目录 {self.settings.data} · 地方 {self.settings.place}")
        self.settings, specs = await asyncio.to_thread(self._settle)
        zygote = self._zygote = Zygote(self.settings)
        await asyncio.gather(self._begin_engines(specs), self._begin(zygote.spec()))
        self._tell("starting")
        await self._prepare(zygote)
        ours = processes(self.settings, zygote)
        await asyncio.gather(*(self._begin(spec) for spec in ours))
        self._tell("running")
        plain(
            f"\n  海棠已就绪：{self.settings.url}\n  状态：{self.settings.url}/ready   日志：{self.settings.data / 'logs'}\n  按 Ctrl-C 停止。\n"
        )

    def _settle(self) -> tuple[Settings, list[Spec]]:
        """Choose ports, make passwords and clusters."""
        settings = self.settings
        folders.clear_run(settings.run)
        for name in ("http", "hj212", "mqtt"):
            if getattr(settings, name) == 0:
                chosen: dict[str, Any] = {name: kept_port(settings.run / "ports.json", name)}
                settings = replace(settings, **chosen)
            elif name in ("http", *names()) and not is_free(getattr(settings, name)):
                raise PORT_TAKEN(port=getattr(settings, name), name=name)
        if not settings.secret_key:
            settings = replace(settings, secret_key=kept_secret(settings.data / "keys" / "session"))
        return engines(settings)

    async def _begin(self, spec: Spec) -> None:
        child = Child(spec, self.settings.run, self.settings.data / "logs")
        self.children.append(child)
        await child.start()
        say(f"{spec.name} 就绪")

    async def _begin_engines(self, specs: list[Spec]) -> None:
        for spec in specs:
            await self._begin(spec)

    async def _prepare(self, zygote: Zygote) -> None:
        """Migrate, put declarations in force, seed: in a process of its own, so that the supervisor stays small."""
        process = await zygote.fork("prepare", sys.stdout.fileno())
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.send_signal(signal.SIGTERM)
            await process.wait()
            raise
        if code:
            raise PREPARE_FAILED(code=code)

    def _tell(self, state: str) -> None:
        instance.write(self.settings, pid=os.getpid(), state=state, processes=names())

    async def _watch(self) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 60)
            await asyncio.to_thread(logs.rotate, self.settings.data / "logs")

    async def _end(self) -> None:
        """Stop our processes together, then the engines, last started first."""
        say("正在停止…")
        engines_of_it = [child for child in self.children if child.spec.name in ("postgres", "nats")]
        await asyncio.gather(*(child.stop() for child in self.children if child not in engines_of_it))
        if self._zygote:
            await self._zygote.stop()
        for child in reversed(engines_of_it):
            await child.stop()
        (self.settings.run / "instance.json").unlink(missing_ok=True)
        say("已停止。")


def supervise(settings: Settings) -> int:
    """Run an instance in this process until it is told to stop."""
    state.refuse_mixture(settings.data, demo=settings.demo)
    if is_s3(settings.lake):
        Access.of(os.environ, settings.lake)  # missing credentials are told here, not by a process that keeps dying
    folders.make(settings.data)
    held = instance.lock(settings.data)
    if settings.demo:
        state.write(settings.data)
    try:
        return asyncio.run(Supervisor(settings).run())
    finally:
        os.close(held)
