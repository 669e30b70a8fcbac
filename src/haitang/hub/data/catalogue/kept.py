"""Answers about a resource's rows that are kept for as long as its table in the lake does not change.

The key holds everything that an answer depends on: the table's version, the SQL with its masks and the policies' row filter in it, and the values. So nobody is given what
was worked out for somebody who may see more, and a gathering that lands makes every answer of its resource new.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Kept:
    """The most recently used answers, up to a total of `most` (in the unit of their weights)."""

    def __init__(self, most: int) -> None:
        self._most, self._weight = most, 0
        self._found: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._turns: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], weigh: Callable[[T], int] = lambda _: 1) -> T:
        """What is kept under `key`, else what `make` gives now. Who asks for the same meanwhile waits for it instead of working it out as well."""
        with self._lock:
            if key in self._found:
                return self._again(key)  # type: ignore[no-any-return]
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._found:
                    return self._again(key)  # type: ignore[no-any-return]
            try:
                return self._keep(key, made := make(), weigh(made))
            finally:
                with self._lock:
                    self._turns.pop(key, None)

    def _again(self, key: Hashable) -> Any:
        self._found.move_to_end(key)
        return self._found[key][0]

    def _keep(self, key: Hashable, made: T, weight: int) -> T:
        if weight <= self._most:
            with self._lock:
                self._put(key, made, weight)
        return made

    def forget(self) -> None:
        """Keep nothing of what is kept."""
        with self._lock:
            self._found.clear()
            self._weight = 0

    def _put(self, key: Hashable, made: Any, weight: int) -> None:
        if key in self._found:
            self._weight -= self._found.pop(key)[1]
        self._found[key] = (made, weight)
        self._weight += weight
        while self._weight > self._most:
            self._weight -= self._found.popitem(last=False)[1][1]


counts = Kept(200_000)  # numbers
pages = Kept(64 * 1024 * 1024)  # bytes in memory, in each process of control
stretches = Kept(16 * 1024 * 1024)  # the same; what pages are cut from
