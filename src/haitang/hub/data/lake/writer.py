"""Stream to lake, exactly once.

One transaction holds the rows, what was set aside, their evidence blocks and the sequence numbers of the messages they came in. A message is acknowledged
after that commits; delivered again, its number is known and it is skipped. The same observation in another message is known by its key.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import pairwise
from typing import Any

from haitang.base.clock import now
from haitang.hub.data.lake import offsets
from haitang.hub.data.lake.admission import admit, admit_aside
from haitang.hub.data.lake.buckets import WIDTH, day_literal, day_number, micros
from haitang.hub.data.lake.canonical import canonical
from haitang.hub.data.lake.columns import KEY, key_of, key_table, observation_table, set_aside_table
from haitang.hub.data.lake.schema import ARITY
from haitang.hub.data.lake.transaction import transaction
from haitang.support.infrastructure.stream.messages import Batch, Observation, SetAside
from haitang.support.security.evidence import merkle

Row = Observation | SetAside
GAP = 5 * WIDTH["minute"]
MOST_SPANS = 8
_MOST_DAYS = 64  # beyond that, naming every day of a batch costs more than it prunes


@dataclass
class Written:
    """What one commit stored: `observations` in the order of their blocks, `position` the last block."""

    observations: list[Observation] = field(default_factory=list)
    set_aside: int = 0
    duplicates: int = 0
    position: int = 0


class Writer:
    """The one writer of the lake. `stream` identifies the stream whose sequence numbers are remembered: a stream made anew starts at 1 again.

    After an error the state in memory may be behind the lake: make a new Writer.
    """

    def __init__(self, connection: Any, stream: str) -> None:
        self.connection, self.name = connection, f"writer:{stream}"
        self.seen = offsets.load(connection, self.name)
        self.position = 0
        self.look_again()

    def look_again(self) -> None:
        """Take the last block from the lake: another part of this process may have added some."""
        self.position = self.connection.execute("select coalesce(max(id), 0) from lake.blocks").fetchone()[0]

    def write(self, messages: Sequence[tuple[int, Batch]]) -> Written:
        """Store what of `messages` (sequence number, batch) is not stored yet."""
        fresh = {seq: batch for seq, batch in messages if seq not in self.seen}
        if not fresh:
            return Written(position=self.position)
        received = micros(now())
        by_release: dict[str, tuple[list[Observation], list[SetAside]]] = defaultdict(lambda: ([], []))
        duplicates = self._sort(fresh.values(), received, by_release)
        written = Written(duplicates=duplicates, position=self.position)
        with transaction(self.connection, "observations", "set_aside", "blocks", "offsets"):
            for release, (good, aside) in by_release.items():
                self._store("observations", good, release, fresh, written)
                self._store("set_aside", aside, release, fresh, written)
            offsets.append(self.connection, self.name, fresh)
        self.seen.add(fresh)
        self.position = written.position
        return written

    def _sort(self, batches: Iterable[Batch], received: int, into: dict[str, tuple[list[Observation], list[SetAside]]]) -> int:
        """Sort rows by release into what is stored and what is set aside; returns how many were known already."""
        first: dict[Any, tuple[str, Observation]] = {}
        count = 0
        for batch in batches:
            good, bad = admit(batch.observations, received)
            into[batch.release][1].extend([*admit_aside(batch.set_aside, received), *bad])
            count += len(good)
            for row in good:
                first.setdefault(key_of(row), (batch.release, row))
        rows = list(first.values())
        known = self._known([row for _, row in rows])
        for position, (release, row) in enumerate(rows):
            if position not in known:
                into[release][0].append(row)
        return count - len(rows) + len(known)

    def _known(self, rows: Sequence[Observation]) -> set[int]:
        """Positions of the rows that the lake holds already; only the days and times of the batch are read."""
        if not rows:
            return set()
        self.connection.register("incoming_keys", key_table(rows))
        found = self.connection.execute(_stored_already(row.period_start for row in rows)).fetchall()
        self.connection.unregister("incoming_keys")
        return {position for (position,) in found}

    def _store(self, table: str, rows: Sequence[Row], release: str, messages: Iterable[int], written: Written) -> None:
        if not rows:
            return
        written.position += 1
        block = written.position
        if table == "observations":
            arrow = observation_table(rows, block, release)  # type: ignore[arg-type]
            written.observations.extend(rows)  # type: ignore[arg-type]
        else:
            arrow = set_aside_table(rows, block, release)  # type: ignore[arg-type]
            written.set_aside += len(rows)
        self.connection.register("incoming", arrow)
        self.connection.execute(f"insert into lake.{table} by name from incoming")
        self.connection.unregister("incoming")
        root = merkle.root([merkle.leaf_hash(canonical(row)) for row in rows], arity=ARITY).hex()
        self.connection.execute(
            "insert into lake.blocks values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [block, table, len(rows), root, min(messages), max(messages), now(), release, ARITY],
        )


def _stored_already(times: Iterable[int]) -> str:
    """SQL of the positions of those `incoming_keys`, whose periods begin at these times, that the lake holds.

    A question for each span, since files and what is in them are left out by its ends: with `or` between them, or one span from the first to the last, a batch with one
    reading that is hours late would read all that these hours hold.
    """
    return " union all ".join(map(_stored_within, spans(times)))


def _stored_within(times: Sequence[int]) -> str:
    """Of one span. As a semi join, whose conditions DuckDB does not turn into filters of what it reads, as it does those of `exists`: it then reads the times first, and of most
    rows nothing else.
    """
    within = f"period_start between make_timestamptz({times[0]}) and make_timestamptz({times[-1]})"
    days = {day_number(time) for time in times}
    if len(days) <= _MOST_DAYS:
        within += f" and day in ({', '.join(day_literal(day) for day in sorted(days))})"
    on = " and ".join(f"stored.{name} = incoming_keys.{name}" for name in KEY)
    return f"select position from incoming_keys semi join (from lake.observations where {within}) as stored on {on}"


def spans(times: Iterable[int]) -> list[list[int]]:
    """The times in order, parted at their widest gaps; what lies in a gap of less than GAP costs less to read than another question."""
    ordered = sorted(set(times))
    gaps = [(after - before, place) for place, (before, after) in enumerate(pairwise(ordered), 1) if after - before > GAP]
    cuts = sorted(place for _, place in nlargest(MOST_SPANS - 1, gaps))
    return [ordered[begin:end] for begin, end in pairwise([0, *cuts, len(ordered)])]
