"""Items made ahead by a thread: the same, in order, with their errors, and none left running."""

import threading
import weakref
from collections.abc import Iterator
from typing import TypeVar

import pytest

from haitang.hub.data.gather.ahead import ahead

T = TypeVar("T")


def same(item: T) -> T:
    return item


def made_here() -> Iterator[str]:
    for _ in range(3):
        yield threading.current_thread().name


def test_items_come_in_order_from_another_thread() -> None:
    assert list(ahead(iter(range(50)), same)) == list(range(50))
    assert set(ahead(made_here(), same)) == {"ahead"}


def test_an_error_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("二")

    found = ahead(broken(), same)
    assert next(found) == 1
    with pytest.raises(ValueError, match="二"):
        next(found)


def test_closed_early_the_thread_ends_and_the_source_is_closed() -> None:
    closed = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = set(threading.enumerate())
    found = ahead(ahead(endless(), same), same)
    next(found)
    assert set(threading.enumerate()) - before
    found.close()
    assert closed.wait(60)
    assert not set(threading.enumerate()) - before


def test_no_more_is_made_than_was_asked_for() -> None:
    begun: list[int] = []
    asked = threading.Event()

    def make(item: int) -> int:
        begun.append(item)
        if item == 2:
            asked.set()
        return item

    found = ahead(iter(range(10)), make)
    assert next(found) == 0
    assert not asked.wait(0.2), begun
    assert next(found) == 1
    assert asked.wait(60)
    found.close()


def test_what_was_given_is_kept_by_nobody() -> None:
    class Large:
        pass

    found = ahead(iter([1, 2, 3]), lambda _: Large())
    seen = [weakref.ref(next(found)) for _ in range(3)]  # the generator holds the one that it gave last
    assert [each() for each in seen[:2]] == [None, None]
    found.close()


def test_an_error_of_making_is_raised_too() -> None:
    with pytest.raises(ZeroDivisionError):
        list(ahead(iter([1, 0]), lambda item: 1 // item))
