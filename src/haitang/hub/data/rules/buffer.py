"""The observations that a rule still looks back at, column by column: windows are slices, and what is kept is bytes.

Ordered by (end, start). `whens` and `untils` are what the conditions said at each, None where there is no value or nothing can be said.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from haitang.hub.data.rules.condition import Series, Truth

_ORIGINS = ("live", "replay", "simulated")
_TRUTHS: tuple[Truth, ...] = (None, False, True)


class Entry(NamedTuple):
    """One observation; `value` None when it is missing or invalid. Times in Unix microseconds, [start, end)."""

    start: int
    end: int
    value: float | None
    received: int
    origin: str


class Buffer(Series):
    """A series that grows at its end, and takes late entries in between."""

    __slots__ = ("origins", "received", "starts", "untils", "whens")

    starts: list[int]
    ends: list[int]
    values: list[float | None]

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        super().__init__([], [], 0)
        self.holes = False
        self.starts = []
        self.received: list[int] = []
        self.origins: list[str] = []
        self.whens: list[Truth] = []
        self.untils: list[Truth] = []
        for each in entries:
            self.insert(len(self.ends), each)

    def __len__(self) -> int:
        return len(self.ends)

    def place(self, entry: Entry) -> int:
        """Where an entry belongs: before the first that is not earlier."""
        at = bisect_left(self.ends, entry.end)
        while at < len(self.ends) and self.ends[at] == entry.end and self.starts[at] < entry.start:
            at += 1
        return at

    def append(self, entry: Entry) -> None:
        start, end, value, received, origin = entry
        self.starts.append(start)
        self.ends.append(end)
        self.values.append(value)
        self.received.append(received)
        self.origins.append(origin)
        self.whens.append(None)
        self.untils.append(None)
        if value is None:
            self.holes = True

    def insert(self, at: int, entry: Entry) -> None:
        for column, item in zip(self._columns(), (*entry, None, None), strict=True):
            column.insert(at, item)
        self.holes = self.holes or entry.value is None

    def replace(self, at: int, entry: Entry) -> None:
        """Put another observation of the same period in the place of one."""
        for column, item in zip(self._columns(), (*entry, None, None), strict=True):
            column[at] = item
        self.holes = self.holes or entry.value is None

    def holds(self, at: int, entry: Entry) -> bool:
        """Whether the observation at `at` is of the same period."""
        return self.ends[at] == entry.end and self.starts[at] == entry.start

    def forget(self, count: int) -> None:
        """Drop the oldest."""
        for column in self._columns():
            del column[:count]
        self.holes = self.holes and None in self.values

    def _columns(self) -> tuple[list, ...]:  # type: ignore[type-arg]
        return self.starts, self.ends, self.values, self.received, self.origins, self.whens, self.untils

    def packed(self) -> bytes:
        """The columns one after the other, 33 bytes an entry; NaN stands for a missing value, which is never NaN itself."""
        numbers = array("d", (float("nan") if v is None else v for v in self.values))
        marks = bytes(
            _ORIGINS.index(origin) | _TRUTHS.index(when) << 2 | _TRUTHS.index(until) << 4
            for origin, when, until in zip(self.origins, self.whens, self.untils, strict=True)
        )
        return b"".join([array("q", self.starts), array("q", self.ends), array("q", self.received), numbers, marks])

    @classmethod
    def unpacked(cls, kept: bytes) -> "Buffer":
        """What `packed` wrote."""
        count, buffer = len(kept) // 33, cls()
        wide = [kept[n * 8 * count : (n + 1) * 8 * count] for n in range(4)]
        buffer.starts, buffer.ends, buffer.received = (array("q", column).tolist() for column in wide[:3])
        numbers, marks = array("d", wide[3]), kept[32 * count :]
        buffer.values = [None if v != v else v for v in numbers]
        buffer.holes = None in buffer.values
        buffer.origins = [_ORIGINS[mark & 3] for mark in marks]
        buffer.whens = [_TRUTHS[mark >> 2 & 3] for mark in marks]
        buffer.untils = [_TRUTHS[mark >> 4] for mark in marks]
        return buffer
