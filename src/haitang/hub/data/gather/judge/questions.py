"""Questions of DuckDB about the cells of a chunk: planned once for all chunks, whose Arrow columns are handed over one after the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa


class Questions:
    """`typed`: the SQL that makes values of cells, as far as where the cells are."""

    def __init__(self, connection: Any, typed: str) -> None:
        self._connection, self._typed = connection, typed
        self._given: dict[str, _Given] = {}
        self._asked: dict[str, str] = {}

    def give(self, name: str, table: Any) -> None:
        """Have queries find this Arrow table under a name. Where its columns are those of the one before, they stay prepared, which is a tenth of their time."""
        if name in self._given and self._given[name].table.schema.equals(table.schema):
            self._given[name].table = table
            return
        self._asked.clear()
        self._given[name] = _Given(table)
        self._connection.register(name, self._given[name])

    def ask(self, query: str) -> Any:
        """A query over `typed`: the values of the cells that were given, computed as far as they are asked for."""
        if query not in self._asked:
            self._asked[query] = f"asked{len(self._asked)}"
            self._connection.execute(f"prepare {self._asked[query]} as with typed as not materialized ({self._typed} cells))) {query}")
        return self._connection.execute(f"execute {self._asked[query]}")

    @contextmanager
    def only(self, cells: Any, rows: Any) -> Iterator[None]:
        """Ask about these rows alone."""
        self.give("cells", cells.take(pa.array(rows, pa.int64())))
        try:
            yield
        finally:
            self.give("cells", cells)


class _Given:
    """An Arrow table for DuckDB, which asks for it each time."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, wanted: Any = None) -> Any:
        return self.table.__arrow_c_stream__(wanted)
