"""Pages of a resource's rows: found by where they lie, read a few at a time, kept until the table changes.

How many rows of each evidence block meet a filter is counted in one look at the columns that the filter compares. That is the exact count, and it says in which blocks a
page lies, however deep: only those are read. Where nothing is filtered the count is known without reading, so blocks are counted only for pages far from the start.

The first pages without a filter lie in the first block, which is remembered: block numbers only grow, so no other comes before it.

Pages with an order of their own are found by their keys, two numbers a row, before any other column of a row is read. (block, block_index) names a row of a table.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import msgspec

from haitang.base.settings import settings
from haitang.hub.data.catalogue import kept
from haitang.hub.data.lake import queries as lake

AHEAD = 500  # rows that are read at a time: whoever reads a page often reads the next
FAR = 10_000  # rows from the start


@dataclass(frozen=True)
class Rows:
    """Rows of a table, at a version of it (`lake.versions`), that meet a condition of DuckDB and its values."""

    table: str
    version: int
    where: str = "true"
    values: tuple[Any, ...] = ()

    def key(self, *of: Any) -> tuple[Any, ...]:
        """What an answer about these rows is kept under."""
        return (settings().database_url, self.table, self.version, self.where, *self.values, *of)


@dataclass(frozen=True)
class Order:
    """`by`: SQL of what comes before the order that rows were written in; `newest`: the last block comes first."""

    by: str = ""
    newest: bool = False

    @property
    def sql(self) -> str:
        return f"{self.by}{', ' if self.by else ''}block{' desc' if self.newest else ''}, block_index"


@dataclass(frozen=True)
class Blocks:
    """The blocks that hold rows, ascending, and how many rows are in all of them up to each."""

    ids: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.ends[-1] if self.ends else 0

    def span(self, offset: int, size: int) -> tuple[int, int, int]:
        """The first and last block of `size` rows from `offset` on, of which some are there, and the place of the first among the rows of these blocks."""
        first = bisect_right(self.ends, offset)
        last = bisect_right(self.ends, min(offset + size, self.total) - 1)
        return self.ids[first], self.ids[last], offset - (self.ends[first - 1] if first else 0)

    def turned(self, offset: int, size: int) -> tuple[int, int, int]:
        """The same where the last block comes first."""
        counts = [end - before for end, before in zip(self.ends, (0, *self.ends), strict=False)]
        first, last, place = Blocks(self.ids[::-1], tuple(accumulate(reversed(counts)))).span(offset, size)
        return last, first, place


@dataclass(frozen=True)
class Page:
    """Rows by column, for all who ask for the same: nobody may change them; and the JSON of them, as the API gives it."""

    rows: Sequence[dict[str, Any]]
    encoded: bytes

    @property
    def weight(self) -> int:
        return 6 * len(self.encoded)  # as values in memory they take about five times their JSON


NOTHING = Page((), b"[]")
_first: dict[tuple[str, str], int] = {}  # (database, table) -> a block of rows before which there was none


def total(rows: Rows) -> int:
    """How many there are, exactly."""
    return _blocks(rows).total if rows.where != "true" else _all(rows)


def page(rows: Rows, shown: str, order: Order, offset: int, size: int) -> Page:
    """`size` rows from `offset` on; `shown` is the SQL of their columns."""
    if offset >= total(rows):
        return NOTHING

    def made() -> Page:
        ahead = max(1, AHEAD // size) * size
        begin = offset - offset % ahead
        key = rows.key(shown, order, begin, ahead)
        stretch = kept.stretches.get(key, lambda: _stretch(rows, shown, order, begin, ahead), lambda table: table.nbytes)
        return _page(stretch.slice(offset - begin, size).to_pylist())

    return kept.pages.get(rows.key(shown, order, offset, size), made, lambda found: found.weight)


def _all(rows: Rows) -> int:
    return kept.counts.get(
        rows.key("all"), lambda: int(_table(f"select count(*)::bigint as rows from lake.{rows.table}", ())["rows"][0].as_py())
    )


def _blocks(rows: Rows) -> Blocks:
    def made() -> Blocks:
        found = _table(
            f"select block, count(*)::bigint as rows from lake.{rows.table} where {rows.where} group by block order by block", rows.values
        )
        return Blocks(tuple(found["block"].to_pylist()), tuple(accumulate(found["rows"].to_pylist())))

    return kept.counts.get(rows.key("blocks"), made, lambda blocks: 1 + len(blocks.ids))


def _stretch(rows: Rows, shown: str, order: Order, offset: int, size: int) -> Any:
    """An Arrow table of `size` rows from `offset` on, of which some are there."""
    if rows.where == "true" and order == Order() and offset < FAR:
        return _from_the_start(rows, shown, offset, min(size, total(rows) - offset))
    if order.by:
        return _by_keys(rows, shown, order, offset, size)
    blocks = _blocks(rows)
    first, last, place = (blocks.turned if order.newest else blocks.span)(offset, size)
    where = f"{rows.where} and block between {first} and {last}"
    return _table(f"select {shown} from lake.{rows.table} where {where} order by {order.sql} limit {size} offset {place}", rows.values)


def _from_the_start(rows: Rows, shown: str, offset: int, size: int) -> Any:
    """Of the first block little more than these rows is read, unless more than half of it went or it ends before."""
    known = (settings().database_url, rows.table)
    if known in _first:
        where = f"block = {_first[known]} and block_index < {2 * (offset + size)}"
        found = _table(f"select {shown} from lake.{rows.table} where {where} order by block_index limit {size} offset {offset}", ())
        if found.num_rows == size:
            return found
    found = _by_keys(rows, f"{shown}, block", Order(), offset, size)
    if offset == 0 and found.num_rows:  # all may have gone since they were counted
        _first[known] = found["block"][0].as_py()
    return found.drop_columns(["block"])


def _by_keys(rows: Rows, shown: str, order: Order, offset: int, size: int) -> Any:
    """Without the keys every column of every row would be read. The condition stands with the rows again: what it leaves out is not read by any other way."""
    keys = f"select block, block_index from lake.{rows.table} where {rows.where} order by {order.sql} limit {size} offset {offset}"
    found = f"select {shown} from lake.{rows.table} semi join page using (block, block_index) where {rows.where} order by {order.sql}"
    return _table(f"with page as materialized ({keys}) {found}", (*rows.values, *rows.values))


def _table(sql: str, values: Sequence[Any]) -> Any:
    return lake.on_reader(lambda connection: connection.execute(sql, list(values)).to_arrow_table())


def _page(found: list[dict[str, Any]]) -> Page:
    return Page(found, msgspec.json.encode(found))
