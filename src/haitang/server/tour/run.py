"""The whole tour: a fresh instance, every station in order, a report."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from haitang.base.errors import error
from haitang.base.settings import use
from haitang.server.instance import settings_of
from haitang.server.tour.context import Context
from haitang.server.tour.instance import Instance, running
from haitang.server.tour.report import Entry, visit

NOT_FRESH = error("tour.not_fresh", 409, "数据目录 {data} 不是空的。巡检需要全新的数据目录，请另选一个，或不写 --data。")

STATIONS = (
    "observed", "stored", "alarmed", "case_opened", "dispatched", "policy_denied", "handled", "verified", "closed",
    "indicator_moved", "gathered", "quarantined", "mended", "evidence_sealed", "evidence_verified", "receipt_checked",
)  # fmt: skip


def tour(data: Path | None, place: str, tell: Callable[[Entry], None]) -> list[Entry]:
    """Run every station, telling each entry as it comes; stops at the first that does not hold, because the next would stand on it."""
    if data and data.exists() and any(data.iterdir()):
        raise NOT_FRESH(data=data)
    with _folder(data) as folder, running(folder, place) as instance:
        _work_on(instance)
        context, entries = Context(instance), []
        for name in STATIONS:
            entries.append(visit(name, _bound(name, context)))
            tell(entries[-1])
            if not entries[-1].held:
                break
        return entries


@contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="haitang-tour-") as made:
        yield Path(made) / "data"


def _work_on(instance: Instance) -> None:
    """Let this process read and act on the tour's instance."""
    from haitang.server.boot import boot

    use(settings_of({"data": instance.data}, must_run=True))
    boot()


def _bound(name: str, context: Context) -> Callable[[], dict[str, Any]]:
    from haitang.server.tour import evidence, gathering, policy, stations

    found = getattr(stations, name, None) or getattr(gathering, name, None) or getattr(policy, name, None) or getattr(evidence, name)
    return lambda: found(context)
