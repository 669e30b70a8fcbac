"""Our own processes as children."""

import sys

from haitang.base.settings import Settings
from haitang.server.beat import is_alive
from haitang.server.instance import CHECKOUT, environment
from haitang.server.processes import names
from haitang.server.supervisor.child import Spec

HUNG = 120.0  # seconds without a heartbeat after which a process is started anew


def processes(settings: Settings) -> list[Spec]:
    """Front and control first: a person sees the pages while the rest comes up."""
    return [_process(name, settings) for name in names()]


def _process(name: str, settings: Settings) -> Spec:
    async def answers(pid: int) -> bool:
        return is_alive(settings.run, name, pid)

    async def healthy(pid: int) -> bool:
        return is_alive(settings.run, name, pid, stale=HUNG)

    return Spec(
        name, lambda: [sys.executable, "-m", "haitang.server.cli", "run", name], answers, environment(settings), CHECKOUT,
        stop_seconds=12, healthy=healthy,
    )  # fmt: skip
