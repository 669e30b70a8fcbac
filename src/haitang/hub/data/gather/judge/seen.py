"""Values that may stand only once in a file, over all its chunks, in bounded memory: about ten bytes a row, and proof where two look the same.

A hash of the values is looked for in a table of marks (a Bloom filter of two probes), then among the hashes of all earlier rows, then the values
themselves are compared. Almost every row ends at the first step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from haitang.hub.data.lake.connection import quoted

_FIRST, _LARGEST = 1 << 20, 1 << 26  # bytes of the marks
_SPARSE = 8  # marks for each row: twice as many rows, and the marks are made anew, larger
_UPPER = np.uint64(32)


class Marks:
    """Which hashes may have been seen: never wrong about one that was."""

    def __init__(self, size: int = _FIRST) -> None:
        self.count = 0
        self._table = np.zeros(size, bool)
        self._mask = np.uint64(size - 1)

    @property
    def full(self) -> bool:
        """There are too many rows for this size, and there is a larger one."""
        return self.count * _SPARSE > 2 * len(self._table) and len(self._table) < _LARGEST

    def add(self, hashes: Any) -> None:
        self.count += len(hashes)
        for places in self._places(hashes):
            self._table[places] = True

    def may_have(self, hashes: Any) -> Any:
        """A mask of the hashes."""
        first, second = self._places(hashes)
        return self._table[first] & self._table[second]

    def _places(self, hashes: Any) -> tuple[Any, Any]:
        return hashes & self._mask, (hashes >> _UPPER) & self._mask


@dataclass
class Staged:
    """Where the accepted rows of a run are: in its parts, and for a moment in tables that another thread has still to write, each later one of the parts."""

    parts: list[Path]
    unwritten: list[Any] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.parts or self.unwritten)


class Seen:
    """Knows the values of `columns` in the accepted rows that are staged; `connection` holds the table of their hashes.

    `hash`: SQL of the hash of a row's values, null where one of them is absent; `column`: the name under which it is asked for.
    """

    def __init__(self, connection: Any, name: str, columns: Sequence[str], staged: Staged) -> None:
        self.connection, self.columns, self.staged = connection, list(columns), staged
        self.table, self.column = f"seen__{name}", f"hash__{name}"
        self._named = ", ".join(f'"{column}"' for column in columns)
        present = " and ".join(f'"{column}" is not null' for column in columns)
        self.hash = f"case when {present} then hash({self._named}) end"
        self._marks = Marks()
        connection.execute(f"create or replace temp table {self.table} (h ubigint)")
        if staged.parts:
            connection.execute(f"insert into {self.table} select hash({self._named}) from {_files(staged.parts)} where {present}")
            self._mark_all()

    def _mark_all(self) -> None:
        hashes = self.connection.execute(f"select h from {self.table}").to_arrow_table()["h"].to_numpy()
        size = _FIRST
        while len(hashes) * _SPARSE > size and size < _LARGEST:
            size *= 2
        self._marks = Marks(size)
        self._marks.add(hashes)

    def suspects(self, hashes: Any, *, last: bool = False) -> Any:
        """Positions of hashes that stand twice, or stand in an earlier part too. `last`: earlier parts are not asked."""
        ordered = np.sort(hashes)
        twice = ordered[1:][ordered[1:] == ordered[:-1]]
        found = np.isin(hashes, twice) if len(twice) else np.zeros(len(hashes), bool)
        if not last and self.staged:
            marked = np.flatnonzero(self._marks.may_have(hashes))
            found[marked[self._are_seen(hashes[marked])]] = True
        return np.flatnonzero(found)

    def _are_seen(self, hashes: Any) -> Any:
        if not len(hashes):
            return np.zeros(0, bool)
        self.connection.register("asked", pa.table({"h": hashes}))
        known = self.connection.execute(f"select distinct h from {self.table} where h in (select h from asked)").to_arrow_table()["h"]
        self.connection.unregister("asked")
        return np.isin(hashes, known.to_numpy())

    def proved(self, rows: Any, *, last: bool = False) -> dict[int, int]:
        """Of suspects (an Arrow table: `n`, `line`, the columns) those that repeat another row: `n` -> line of that row.

        `last`: among these rows the last one stays.
        """
        self.connection.register("suspects", rows)
        order = "line desc" if last else "line"
        found = dict(
            self.connection.execute(
                f"select n, first from (select n, first_value(line) over w as first, row_number() over w as place from suspects "
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
                f"select n, min(stored.line) from suspects join ({stored}) as stored using ({self._named}) group by n"
            ).fetchall()
        )

    def add(self, hashes: Any) -> None:
        """Remember the hashes of rows that are staged from now on."""
        self.connection.register("hashes", pa.table({"h": hashes}))
        self.connection.execute(f"insert into {self.table} select h from hashes")
        self.connection.unregister("hashes")
        self._marks.add(hashes)
        if self._marks.full:
            self._mark_all()


def _files(parts: list[Path]) -> str:
    return f"read_parquet([{', '.join(quoted(part) for part in parts)}])"
