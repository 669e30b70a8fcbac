"""What a listener tells of itself: counts since it started, and strangers that knock; written to `run/<name>.json`."""

import asyncio
import contextlib
import json
import os
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from haitang.base import clock

EVERY = 1.0
MOST_KNOCKING = 200


class Counters:
    """Counts by name, and who knocks without being let in."""

    def __init__(self, file: str, names: Iterable[str]) -> None:
        self.file = file
        self.counts: Counter[str] = Counter(dict.fromkeys(names, 0))
        self.knocking: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self.gauges: dict[str, Callable[[], float]] = {}  # what stands now, asked when it is written
        self._told: str = ""

    def add(self, name: str, number: int = 1) -> None:
        self.counts[name] += number

    def knock(self, who: str, address: str, at: datetime, **more: str) -> None:
        """Note one that is not let in; the least recent ones make room."""
        before = self.knocking.pop(who, None)
        self.knocking[who] = {
            **more, "address": address, "count": (before["count"] if before else 0) + 1,
            "last": at.astimezone(clock.CHINA).isoformat(timespec="seconds"),
        }  # fmt: skip
        if len(self.knocking) > MOST_KNOCKING:
            self.knocking.popitem(last=False)

    def write(self, run: Path, **more: Any) -> None:
        """Write what changed since the last time, whole or not at all; on a full disk the next time."""
        now = {name: ask() for name, ask in self.gauges.items()}
        body = {"counters": dict(self.counts), "now": now, "knocking": {who[:48]: k for who, k in reversed(self.knocking.items())}, **more}
        text = json.dumps(body, ensure_ascii=False)
        if text == self._told:
            return
        draft = run / f"{self.file}.{os.getpid()}"
        with contextlib.suppress(OSError):
            run.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps({"at": clock.now().isoformat(), **body}, ensure_ascii=False), "utf-8")
            draft.replace(run / self.file)
            self._told = text

    async def keep_written(self, run: Path, **more: Any) -> None:
        while True:
            self.write(run, **more)
            await asyncio.sleep(EVERY)
