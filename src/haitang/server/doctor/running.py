"""The instance in the data directory: does it run, is each part well, do its processes keep dying."""

from collections.abc import Iterator

from haitang.base.settings import settings
from haitang.server.cli.status import report
from haitang.server.doctor import Finding
from haitang.server.supervisor.logs import last_lines

_REMEDIES = {
    "database": "查看 logs/postgres.log；若使用 HAITANG_DATABASE_URL，确认该服务可达、口令正确。",
    "stream": "查看 logs/nats.log；若使用 HAITANG_NATS_URL，确认该服务可达并启用 JetStream。",
    "lake": "查看 logs/writer.log；湖由 writer 进程首次写入时建立。",
    "control": "查看 logs/control.log。",
    "release": "先执行 haitang check 找出声明中的错误，再执行 haitang apply。",
}


def findings() -> Iterator[Finding]:
    """What the instance says of itself."""
    found = report()
    if not found["running"]:
        yield Finding("实例", True, f"没有运行（{found['data']}）")
        return
    yield Finding("实例", found["ready"], found["url"], "见下面各项。")
    for name, part in found["parts"].items():
        yield Finding(name, part["ok"], part["detail"] or "正常", _REMEDIES.get(name) or _remedy(name))
    for name, process in found["processes"].items():
        if process["restarts"] > 2:
            yield Finding(
                f"{name} 反复重启", False, f"{process['restarts']} 次", f"日志末尾：\n{last_lines(settings().data / 'logs', name)}"
            )


def _remedy(part: str) -> str:
    """For a process, which log to read and what the supervisor does meanwhile."""
    log = settings().data / "logs" / f"{part.removeprefix('process:')}.log"
    if part.startswith("process:"):
        return f"进程停止后会自动重启，请在半分钟后再次检查；仍有问题时查看 {log}，必要时按 Ctrl-C 停止实例，再用 haitang up 启动。"
    return f"查看 {log}。"
