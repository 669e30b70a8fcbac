"""Values that may stand only once in a file, over all its chunks, in bounded memory: eight bytes a row, and proof where two look the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from haitang.hub.data.lake.connection import quoted


class Seen:
    """Knows the values of `columns` in the accepted rows of the parts `parts` (a list that grows); `connection` holds its table."""

    def __init__(self, connection: Any, name: str, columns: Sequence[str], parts: list[Path]) -> None:
        self.connection, self.columns, self.parts = connection, list(columns), parts
        self.table = f"seen__{name}"
        self._named = ", ".join(f'"{column}"' for column in columns)
        self._hash = f"hash({self._named})"
        self._present = " and ".join(f'"{column}" is not null' for column in columns)
        connection.execute(f"create or replace temp table {self.table} (h ubigint)")
        if parts:
            connection.execute(f"insert into {self.table} select {self._hash} from {_files(parts)} where {self._present}")

    def repeated(self, table: str, *, last: bool = False) -> dict[int, int]:
        """Row `n` of `table` -> line of the row before it with the same values. `last`: within the table the last one stays, and earlier parts are not asked."""
        rows = self.connection.execute(f"select count(*), count(distinct {self._hash}) from {table} where {self._present}").fetchone()
        found: dict[int, int] = {}
        if rows[0] != rows[1]:
            order = "line desc" if last else "line"
            found.update(
                self.connection.execute(
                    f"select n, first from (select n, first_value(line) over w as first, row_number() over w as place from {table} where {self._present} "
                    f"window w as (partition by {self._named} order by {order})) where place > 1"
                ).fetchall()
            )
        if not last and self.parts:
            found.update(self._in_parts(table))
        return found

    def _in_parts(self, table: str) -> dict[int, int]:
        alike = f"select n, {self._named} from {table} where {self._present} and {self._hash} in (select h from {self.table})"
        self.connection.execute(f"create or replace temp table alike as {alike}")
        if not self.connection.execute("select count(*) from alike").fetchone()[0]:
            return {}
        rows = self.connection.execute(
            f"select n, min(line) from alike join (select line, {self._named} from {_files(self.parts)}) using ({self._named}) group by n"
        ).fetchall()
        return dict(rows)

    def add(self, table: str) -> None:
        """Remember the rows of `table`, whose part is in `parts` from now on."""
        self.connection.execute(f"insert into {self.table} select {self._hash} from {table} where {self._present}")


def _files(parts: list[Path]) -> str:
    return f"read_parquet([{', '.join(quoted(part) for part in parts)}])"
