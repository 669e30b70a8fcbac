"""Questions of DuckDB about the cells of a chunk: planned once for all chunks, whose Arrow columns are handed over one after the other."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pyarrow as pa


class Questions:
    """`views`: name -> the SQL that makes values of cells, as far as where the cells are."""

    def __init__(self, connection: Any, views: Mapping[str, str]) -> None:
        self._connection = connection
        self._views = ", ".join(f"{name} as not materialized ({sql} cells)))" for name, sql in views.items())
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
        """A query over one of the views: the values of the cells that were given, computed as far as they are asked for."""
        if query not in self._asked:
            self._asked[query] = f"asked{len(self._asked)}"
            self._connection.execute(f"prepare {self._asked[query]} as with {self._views} {query}")
        return self._connection.execute(f"execute {self._asked[query]}")

    @contextmanager
    def only(self, cells: Any, rows: Any) -> Iterator[Any]:
        """Ask about these rows alone; gives their cells."""
        few = cells.take(pa.array(rows, pa.int64()))
        self.give("cells", few)
        try:
            yield few
        finally:
            self.give("cells", cells)


class _Given:
    """An Arrow table for DuckDB, which asks for it each time."""

    def __init__(self, table: Any) -> None:
        self.table = table

    def __arrow_c_stream__(self, wanted: Any = None) -> Any:
        return self.table.__arrow_c_stream__(wanted)
