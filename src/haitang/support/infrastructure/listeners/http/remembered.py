"""What was answered to which message: the same id again gets the same answer.

In memory, because the lake knows the observations themselves: after a restart the same message is stored once all the same (its id is part of each
observation's key, and so is its time, for which `first_come` sees where the message does not say it), and the answer is made anew from the same content.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

KEPT = 50_000


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer. `digest` is that of the message that it answers."""

    digest: bytes
    status: int
    body: bytes


class Remembered:
    """Answers by (thing, message id), the least recent make room."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._answers: OrderedDict[tuple[str, str], asyncio.Future[Answer]] = OrderedDict()

    def find(self, thing: str, id: str) -> "asyncio.Future[Answer] | None":
        """The answer, or the promise of one where the same message is just being stored."""
        return self._answers.get((thing, id))

    def begin(self, thing: str, id: str) -> "asyncio.Future[Answer]":
        promise: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[(thing, id)] = promise
        while len(self._answers) > self._kept:
            self._answers.popitem(last=False)
        return promise

    def forget(self, thing: str, id: str) -> None:
        """What was not stored may be sent again."""
        promise = self._answers.pop((thing, id), None)
        if promise and not promise.done():
            promise.cancel()
