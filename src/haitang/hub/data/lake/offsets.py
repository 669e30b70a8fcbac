"""How far a consumer has come, kept in the same transaction as what it wrote.

The stream delivers an unacknowledged message again after newer ones, so a single highest number would lose it. A position is therefore a set of whole
numbers as closed ranges; ranges that touch are one.
"""

from collections.abc import Iterable
from typing import Any

from haitang.base.clock import now


class Ranges:
    """A set of integers as sorted, disjoint, closed ranges that do not touch."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self.ranges: list[tuple[int, int]] = []
        for first, last in ranges:
            self.ranges.append((first, last))
        self._join()

    def _join(self) -> None:
        joined: list[tuple[int, int]] = []
        for first, last in sorted(self.ranges):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
            else:
                joined.append((first, last))
        self.ranges = joined

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in reversed(self.ranges))

    def add(self, numbers: Iterable[int]) -> None:
        self.ranges += [(number, number) for number in numbers]
        self._join()

    @property
    def last(self) -> int:
        """The highest number, 0 when empty."""
        return self.ranges[-1][1] if self.ranges else 0


def load(connection: Any, name: str) -> Ranges:
    """The position of `name`."""
    return Ranges(connection.execute("select first, last from lake.offsets where name = ?", [name]).fetchall())


def append(connection: Any, name: str, numbers: Iterable[int]) -> None:
    """Add numbers to the position of `name` in the running transaction."""
    for first, last in Ranges((number, number) for number in numbers).ranges:
        connection.execute("insert into lake.offsets values (?, ?, ?, ?)", [name, first, last, now()])


def reach(connection: Any, name: str, position: int) -> None:
    """Say in the running transaction that `name` has done everything up to `position`."""
    connection.execute("insert into lake.offsets values (?, 0, ?, ?)", [name, position, now()])


def trim(connection: Any) -> None:
    """Write every position as few rows as it takes, in one transaction."""
    names = [name for (name,) in connection.execute("select name from lake.offsets group by name having count(*) > 1").fetchall()]
    for name in names:
        position = load(connection, name)
        connection.execute("delete from lake.offsets where name = ?", [name])
        for first, last in position.ranges:
            connection.execute("insert into lake.offsets values (?, ?, ?, ?)", [name, first, last, now()])
