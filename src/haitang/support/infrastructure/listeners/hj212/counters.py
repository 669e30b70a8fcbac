"""What the listener tells of itself: counts since it started, and the unadmitted stations that knock; written to `run/hj212.json`."""

import asyncio
import json
import os
from collections import Counter, OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Any

from haitang.base import clock
from haitang.support.infrastructure.things.listening import FILE

EVERY = 1.0
MOST_KNOCKING = 200
NAMES = (
    "connections", "received", "answered", "replies", "bad_crc", "broken", "unadmitted", "late", "set_aside", "published", "batches", "stream_waits",
)  # fmt: skip


class Counters:
    """`received` packets = answered or wanting no answer + bad_crc + unadmitted + unreadable ones among broken + not yet stored."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter(dict.fromkeys(NAMES, 0))
        self.knocking: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._told: str = ""

    def add(self, name: str, number: int = 1) -> None:
        self.counts[name] += number

    def knock(self, mn: str, st: str, address: str, at: datetime) -> None:
        """Note a station that is not admitted; the least recent ones make room."""
        before = self.knocking.pop(mn, None)
        self.knocking[mn] = {
            "st": st[:8], "address": address, "count": (before["count"] if before else 0) + 1,
            "last": at.astimezone(clock.CHINA).isoformat(timespec="seconds"),
        }  # fmt: skip
        if len(self.knocking) > MOST_KNOCKING:
            self.knocking.popitem(last=False)

    def write(self, run: Path, **more: Any) -> None:
        """Write what changed since the last time, whole or not at all."""
        body = {"counters": dict(self.counts), "knocking": {mn[:48]: k for mn, k in reversed(self.knocking.items())}, **more}
        text = json.dumps(body, ensure_ascii=False)
        if text == self._told:
            return
        self._told = text
        run.mkdir(parents=True, exist_ok=True)
        draft = run / f"{FILE}.{os.getpid()}"
        draft.write_text(json.dumps({"at": clock.now().isoformat(), **body}, ensure_ascii=False), "utf-8")
        draft.replace(run / FILE)

    async def keep_written(self, run: Path, **more: Any) -> None:
        while True:
            self.write(run, **more)
            await asyncio.sleep(EVERY)
