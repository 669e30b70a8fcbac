"""Our own processes as children."""

from haitang.base.settings import Settings
from haitang.server.beat import is_alive
from haitang.server.processes import names
from haitang.server.supervisor.child import Spec
from haitang.server.supervisor.zygote import Zygote

HUNG = 120.0  # seconds without a heartbeat after which a process is started anew


def processes(settings: Settings, zygote: Zygote) -> list[Spec]:
    """Front and control first: a person sees the pages while the rest comes up."""
    return [_process(name, settings, zygote) for name in names()]


def _process(name: str, settings: Settings, zygote: Zygote) -> Spec:
    async def answers(pid: int) -> bool:
        return is_alive(settings.run, name, pid)

    async def healthy(pid: int) -> bool:
        return is_alive(settings.run, name, pid, stale=HUNG)

    return Spec(name, lambda log: zygote.fork(name, log), answers, stop_seconds=12, healthy=healthy)
