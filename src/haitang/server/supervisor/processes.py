"""Our own processes as children."""

from haitang.base.settings import Settings
from haitang.server.processes import names
from haitang.server.supervisor.child import Spec, beating, not_hung
from haitang.server.supervisor.zygote import Zygote


def processes(settings: Settings, zygote: Zygote) -> list[Spec]:
    """Front and control first: a person sees the pages while the rest comes up."""
    return [_process(name, settings, zygote) for name in names()]


def _process(name: str, settings: Settings, zygote: Zygote) -> Spec:
    run = settings.run
    return Spec(name, lambda log: zygote.fork(name, log), beating(run, name), stop_seconds=12, healthy=not_hung(run, name))
