"""Values that may stand only once in a file, over all its chunks, in bounded memory: about seven bytes a row, and proof where two look the same.

A hash of the values is looked for among those of all earlier rows, then the values themselves are compared. Almost every row ends at the first step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from haitang.hub.data.gather.judge.tables import PLACE
from haitang.hub.data.lake.connection import quoted

_FIRST, _LEAST = 1 << 21, 1 << 16  # places of the first table, and of any
_PLACES = 20  # bits of those in which hashes of one chunk are looked for twice
_UPPER = np.uint64(32)
_MIX = 0x9E3779B97F4A7C15  # odd, with its bits spread: 2^64 by the golden ratio (Knuth, TAOCP 6.4)


class Hashes:
    """Which hashes were seen: never wrong about one that was, and about one that was not once in a thousand million times.

    Tables of places. Each mixes a hash its own way into a place, and the upper half of the hash is put into the first table where that place is free. What finds
    none, less and less, goes into smaller and smaller tables, until the largest one is half full; then a larger one comes.
    """

    def __init__(self, first: int = _FIRST) -> None:
        self._least = min(first, _LEAST)
        self._tables = [np.zeros(first, np.uint32)]
        self._counts = [0]

    def add(self, hashes: Any) -> None:
        """Hashes of 64 bits, an array of them."""
        at = 0
        while len(hashes):
            if at == len(self._tables):
                self._tables.append(np.zeros(self._next_size(), np.uint32))
                self._counts.append(0)
            table = self._tables[at]
            places, marks = _places(hashes, len(table), at), _marks(hashes)
            free = table.take(places) == 0
            table[places[free]] = marks[free]  # of two with the same place one is put there
            left = hashes[table.take(places) != marks]
            self._counts[at] += len(hashes) - len(left)
            hashes, at = left, at + 1

    def _next_size(self) -> int:
        size, count = max((len(table), count) for table, count in zip(self._tables, self._counts, strict=True))
        return 2 * size if 2 * count > size else max(len(self._tables[-1]) // 4, self._least)

    def have(self, hashes: Any) -> Any:
        """A mask of the hashes."""
        found, marks = np.zeros(len(hashes), bool), _marks(hashes)
        for at, table in enumerate(self._tables):
            found |= table.take(_places(hashes, len(table), at)) == marks
        return found


def _places(hashes: Any, size: int, table: int) -> Any:
    factor = _MIX * (2 * table + 1) % (1 << 64)
    return ((hashes * np.uint64(factor)) >> np.uint64(65 - size.bit_length())).astype(np.intp)


def _marks(hashes: Any) -> Any:
    return np.maximum(hashes >> _UPPER, 1).astype(np.uint32)  # 0 is a free place


@dataclass
class Staged:
    """Where the accepted rows of a run are: in its parts, and for a moment in tables that another thread has still to write, each later one of the parts."""

    parts: list[Path]
    unwritten: list[Any] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.parts or self.unwritten)


class Seen:
    """Knows the values of `columns` in the accepted rows that are staged.

    `hash`: SQL of the hash of a row's values, null where one of them is absent; `column`: the name under which it is asked for.
    """

    def __init__(self, connection: Any, name: str, columns: Sequence[str], staged: Staged) -> None:
        self.connection, self.columns, self.staged = connection, list(columns), staged
        self.column = f"hash__{name}"
        self._named = ", ".join(f'"{column}"' for column in columns)
        present = " and ".join(f'"{column}" is not null' for column in columns)
        self.hash = f"case when {present} then hash({self._named}) end"
        self._hashes = Hashes()
        for part in staged.parts:
            found = connection.execute(f"select hash({self._named}) as h from read_parquet({quoted(part)}) where {present}")
            self.add(found.to_arrow_table()["h"].to_numpy())

    def suspects(self, hashes: Any, *, last: bool = False) -> Any:
        """Positions of hashes that stand twice, or stand in an earlier part too. `last`: earlier parts are not asked."""
        found = twice(hashes)
        if not last and self.staged:
            found |= self._hashes.have(hashes)
        return np.flatnonzero(found)

    def proved(self, rows: Any, *, last: bool = False) -> dict[int, int]:
        """Of suspects (an Arrow table: place, `line`, the columns) those that repeat another row: place -> line of that row.

        `last`: among these rows the last one stays.
        """
        self.connection.register("suspects", rows)
        order = "line desc" if last else "line"
        found = dict(
            self.connection.execute(
                f"select {PLACE}, first from (select {PLACE}, first_value(line) over w as first, row_number() over w as place from suspects "
                f"window w as (partition by {self._named} order by {order})) where place > 1"
            ).fetchall()
        )
        if not last and self.staged:
            found.update(self._in_parts())
        self.connection.unregister("suspects")
        return found

    def _in_parts(self) -> dict[int, int]:
        tables = list(self.staged.unwritten)  # before the parts: what moves from here to there meanwhile is then in both
        sources = [_files(self.staged.parts)] if self.staged.parts else []
        for number, table in enumerate(tables):
            self.connection.register(f"unwritten{number}", table)
            sources.append(f"unwritten{number}")
        stored = " union all ".join(f"select line, {self._named} from {source}" for source in sources)
        return dict(
            self.connection.execute(
                f"select {PLACE}, min(stored.line) from suspects join ({stored}) as stored using ({self._named}) group by {PLACE}"
            ).fetchall()
        )

    def add(self, hashes: Any) -> None:
        """Remember the hashes of rows that are staged from now on."""
        self._hashes.add(hashes)


def twice(hashes: Any) -> Any:
    """A mask of those that stand twice. Only the few that have not a place of their own are sorted."""
    last, each = np.empty(1 << _PLACES, np.int32), np.arange(len(hashes), dtype=np.int32)
    places = _places(hashes, len(last), 0)
    last[places] = each
    stands = last.take(places)
    alone = np.ones(len(hashes), bool)
    alone[np.concatenate([each[stands != each], stands[stands != each]])] = False
    found, ordered = ~alone, np.sort(hashes[~alone])
    found[found] = np.isin(hashes[found], ordered[1:][ordered[1:] == ordered[:-1]])
    return found


def _files(parts: list[Path]) -> str:
    return f"read_parquet([{', '.join(quoted(part) for part in parts)}])"
