"""Lake to twin: after each commit, and after a crash from the blocks that the twin has not seen."""

import time
from collections.abc import Sequence
from typing import Any

from haitang.hub.data.lake.canonical import observation_of
from haitang.hub.data.lake.readings import DECLARED, declared, declared_of
from haitang.hub.data.lake.writer import Written
from haitang.support.infrastructure.stream.live import CHANNEL, message
from haitang.support.infrastructure.stream.messages import Observation
from haitang.support.infrastructure.twin import state

EVERY = 1.0  # seconds between two announcements


class ToTwin:
    """Brings the twin along and tells open pages which things changed. `database` is an autocommit psycopg connection."""

    def __init__(self, database: Any, lake: Any) -> None:
        self.database, self.lake = database, lake
        self.position: int = state.position(database)
        self.changed: set[str] = set()
        self._announced = 0.0

    def follow(self, written: Written, before: int) -> None:
        """Take over what one commit wrote; `before` is the last block before it. A gap is filled from the lake."""
        if self.position < before:
            self.catch_up(written.position)
        elif written.position > self.position:
            self._update([(declared_of(row), row) for row in written.observations], written.position)

    def catch_up(self, position: int) -> None:
        """Take over every block up to `position` that the twin has not seen, the newest reading of each only."""
        if self.position >= position:
            return
        cursor = self.lake.execute(
            f"select * from lake.observations where block > ? and block <= ? qualify row_number() over (partition by thing, property, {DECLARED} "
            "order by period_end desc, period_start desc, received_at desc) = 1",
            [self.position, position],
        )
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        self._update([(declared(row["statistic"], row["span"]), observation_of(row)) for row in rows], position)

    def _update(self, readings: Sequence[tuple[str, Observation]], position: int) -> None:
        self.changed |= state.update(self.database, readings, position)
        self.position = position

    def announce(self) -> None:
        """Tell open pages, at most once a second."""
        if self.changed and time.monotonic() - self._announced >= EVERY:
            self.database.execute("select pg_notify(%s, %s)", [CHANNEL, message("twin", {"things": sorted(self.changed)})])
            self.changed, self._announced = set(), time.monotonic()
