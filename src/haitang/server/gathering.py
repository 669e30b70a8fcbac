"""Gathering from a command: start a run on the running instance, follow it, say what became of the file."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from haitang.base.actions import acting, system
from haitang.base.declarations import in_force
from haitang.base.errors import HaitangError, error
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions, incoming
from haitang.hub.data.gather.kinds import Source
from haitang.hub.data.gather.models import Run
from haitang.hub.data.gather.waiting import wait as until_told
from haitang.hub.data.gather.wording import left_out, note

NO_RESOURCE = error("server.no_resource", 400, "请用 --resource 指明数据资源，或用 --source 指明数据来源。")

AWAY = 120.0  # seconds that the database may be away while a run is followed


def start_file(file: Path, resource: str | None, source: str = "", load: str | None = None) -> Run:
    """Keep the file in the instance and put it into the queue; raises NO_RESOURCE, base.not_declared."""
    wanted = resource or (in_force().get(Source, source).resource if source else None)
    if not wanted:
        raise NO_RESOURCE()
    unwanted = Event()
    with ThreadPoolExecutor(1) as beside:
        keeping = beside.submit(incoming.keep_file, file, unwanted)  # large ones take as long as reading the declarations
        try:
            declared = in_force().get(Resource, wanted)
        except HaitangError:
            unwanted.set()
            with suppress(incoming.Unwanted, HaitangError, OSError):  # what is wrong with the resource is told, not what is with the file
                incoming.drop(keeping.result())
            raise
    with acting(system("operator")) as act:
        return actions.start(act=act, resource=declared, file=keeping.result(), source=source, load=load)


def wait(run: Run, tell: Callable[[], None], every: float) -> None:
    """Until the run has ended and everything that it accepted is in the lake, looking again whenever something lands, and after `every` seconds at the latest.

    The run goes on by itself: a database that is away for a while is asked again.
    """
    heard = time.monotonic()
    while True:
        try:
            if run.ended and not run.staged.filter(landed=False).exists():
                return
            until_told(every)
            run.refresh_from_db()
        except (OperationalError, InterfaceError):
            connection.close()
            if time.monotonic() - heard > AWAY:
                raise
            time.sleep(every)
            continue
        heard = time.monotonic()
        tell()


def result(run: Run) -> dict[str, Any]:
    """What became of a file, for programs."""
    names = (
        "read",
        "accepted",
        "quarantined",
        "file_rows",
        "inserted",
        "updated",
        "unchanged",
        "repeated",
        "removed",
        "left_out",
        "faults",
        "notes",
    )
    return {
        "run": str(run.pk), "resource": run.resource, "state": run.state, **{name: getattr(run, name) for name in names}, "error": run.error,
        "case": run.matter or None,
    }  # fmt: skip


def sentence(run: Run) -> str:
    """What became of a file, for people."""
    lines = [f"读取 {run.read:,} = 接收 {run.accepted:,} + 隔离 {run.quarantined:,}", f"文件行数 {run.file_rows:,}" + left_out(run)]
    if run.state == "done":
        lines.append(
            f"新增 {run.inserted:,}，更新 {run.updated:,}，未变 {run.unchanged:,}，文件内重复 {run.repeated:,}，移除 {run.removed:,}"
        )
    lines += [note(each) for each in run.notes]
    if run.error:
        lines.append(f"采集失败：{run.error}")
    if run.quarantined:
        lines.append(f"隔离的行：/gather/runs/{run.pk}")
    return "\n".join(lines)
