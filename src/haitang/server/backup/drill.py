"""A rehearsal of what a backup is for: it is restored into a new directory, its lake read whole, its ledger verified, and each step timed.

Nothing is started there but a database: a second platform would send notices, gather sources and seal, as the first does.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from haitang.base.settings import Settings, settings, use
from haitang.server.backup.read import restore, running_database


@dataclass
class Step:
    """One step; `bytes` where it made something."""

    name: str
    seconds: float = 0.0
    bytes: int | None = None


@dataclass
class Drill:
    """What a rehearsal found. `lake`: rows that were read, by table; `ledger`: the report of the offline check."""

    steps: list[Step] = field(default_factory=list)
    tables: int = 0
    rows: int = 0
    lake: dict[str, int] = field(default_factory=dict)
    ledger: dict[str, Any] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        return bool(self.ledger.get("ok"))

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Time the block as a step."""
        began, step = time.monotonic(), Step(name)
        yield step
        step.seconds = round(time.monotonic() - began, 2)
        self.steps.append(step)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "held": self.held, "seconds": round(sum(step.seconds for step in self.steps), 2)}


def rehearse(drill: Drill, file: Path, more: Callable[[], None] = lambda: None) -> None:
    """Restore `file` beside itself, look whether all of it is there (`more` looks further), and remove what was restored.

    Raises where rows or digests are not those of the backup.
    """
    with TemporaryDirectory(dir=file.parent, prefix=f".{file.name}.drill-", ignore_cleanup_errors=True) as folder:
        restored = replace(settings(), data=Path(folder), database_url="", nats_url="none", lake="")
        with drill.step("restore") as step:
            manifest = restore(restored, file)
            step.bytes = sum(path.stat().st_size for path in restored.data.rglob("*") if path.is_file())
        drill.tables, drill.rows = len(manifest["rows"]), sum(manifest["rows"].values())
        with running_database(restored) as url:
            _look(drill, replace(restored, database_url=url))
            more()


def _look(drill: Drill, restored: Settings) -> None:
    use(restored)
    from haitang.server.boot import boot

    boot()
    with drill.step("lake"):
        from haitang.hub.data.lake.whole import read_whole

        drill.lake = read_whole()
    with drill.step("ledger") as step:
        from haitang.support.security.evidence.export import Scope, export
        from haitang.support.security.evidence.verify import verify

        ledger = restored.run / "ledger.jsonl"
        with ledger.open("wb") as out:
            export(out, Scope())
        with ledger.open("rb") as lines:
            drill.ledger = verify(lines).as_json()
        step.bytes = ledger.stat().st_size
