"""Items made ahead by a thread: the same, in order, with their errors, and none left running."""

import threading
from collections.abc import Iterator

import pytest

from haitang.hub.data.gather.ahead import ahead


def made_here() -> Iterator[str]:
    for _ in range(3):
        yield threading.current_thread().name


def test_items_come_in_order_from_another_thread() -> None:
    assert list(ahead(iter(range(50)))) == list(range(50))
    assert set(ahead(made_here())) == {"ahead"}


def test_an_error_comes_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("二")

    found = ahead(broken())
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

    found = ahead(ahead(endless()))
    next(found)
    found.close()
    assert closed.wait(5)
    assert "ahead" not in {thread.name for thread in threading.enumerate()}
