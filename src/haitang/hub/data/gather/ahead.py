"""Work ahead of who uses it: one thread makes the next item while this one is busy with the last."""

import threading
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

S = TypeVar("S")
T = TypeVar("T")
_END = object()


def ahead(items: Iterator[S], make: Callable[[S], T], *, most: int = 1) -> Generator[T, None, None]:
    """What `make` makes of each item, at most so many made before they are asked for, and none kept once it is given. An error is raised here; closed early, it stops."""
    made: SimpleQueue[Any] = SimpleQueue()
    room, left = threading.Semaphore(most), threading.Event()
    maker = threading.Thread(target=_make, args=(items, make, made, room, left), name="ahead", daemon=True)
    maker.start()
    try:
        while (item := made.get()) is not _END:
            room.release()
            if isinstance(item, _Failed):
                raise item.reason
            yield item
            del item
    finally:
        left.set()
        room.release()
        maker.join()


class _Failed:
    def __init__(self, reason: BaseException) -> None:
        self.reason = reason


def _make(
    items: Iterator[Any], make: Callable[[Any], Any], made: "SimpleQueue[Any]", room: threading.Semaphore, left: threading.Event
) -> None:
    try:
        room.acquire()
        for item in items:
            made.put(make(item))
            del item
            room.acquire()
            if left.is_set():
                break
        made.put(_END)
    except BaseException as reason:
        made.put(_Failed(reason))
    finally:
        if close := getattr(items, "close", None):
            close()
