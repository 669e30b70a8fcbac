"""Work ahead of who uses it: one thread makes the next item while this one is busy with the last."""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
_END = object()


def ahead(items: Iterator[T], *, most: int = 1) -> Generator[T, None, None]:
    """The same items, at most so many made before they are asked for. An error of `items` is raised here; closed early, it stops making them."""
    made: queue.Queue[Any] = queue.Queue(most)
    left = threading.Event()
    maker = threading.Thread(target=_make, args=(items, made, left), name="ahead", daemon=True)
    maker.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.reason
            yield item
    finally:
        left.set()
        while maker.is_alive():
            _drain(made)
            maker.join(0.05)


class _Failed:
    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def _make(items: Iterator[Any], made: "queue.Queue[Any]", left: threading.Event) -> None:
    put: Callable[[Any], None] = made.put
    try:
        for item in items:
            put(item)
            if left.is_set():
                break
        put(_END)
    except BaseException as reason:
        put(_Failed(reason))
    finally:
        if close := getattr(items, "close", None):
            close()


def _drain(made: "queue.Queue[Any]") -> None:
    try:
        while True:
            made.get_nowait()
    except queue.Empty:
        return
