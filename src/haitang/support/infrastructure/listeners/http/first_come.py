"""When a message that does not say when first came. It is on the disk before the message is stored, so that the same message, sent again to a front that was
started anew, gets the same time and is the same observations.

A file in `run/`: lines of one length (microseconds, a digest of thing, id and content), the last KEPT of which count. What was written in part when the power went is
cut off. Messages that say when need none of it.
"""

import asyncio
import contextlib
import hashlib
import os
from collections import OrderedDict
from datetime import datetime, timedelta
from pathlib import Path

from haitang.base.disk import sync
from haitang.support.infrastructure.listeners.http.remembered import KEPT
from haitang.support.infrastructure.listeners.instants import EPOCH, micros

LENGTH = 50  # bytes of a line: 16 digits, a space, 32 hexadecimal digits, an end


class FirstCome:
    """The times by message. `file` and the one before it (`.1`) hold at most twice `kept`."""

    def __init__(self, file: Path, kept: int = KEPT) -> None:
        self._file, self._before, self._kept = file, file.with_name(f"{file.name}.1"), kept
        self._times: OrderedDict[str, int] = OrderedDict()
        self._new: list[tuple[str, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        file.parent.mkdir(parents=True, exist_ok=True)
        for each in (self._before, file):
            self._load(each)

    async def of(self, thing: str, id: str, content: bytes, now: datetime) -> datetime:
        """When the message of this content (a digest) first came: `now`, where it is new. Raises OSError where that cannot be written down."""
        key = hashlib.blake2b(f"{thing}\0{id}\0".encode() + content, digest_size=16).hexdigest()
        if (known := self._times.get(key)) is not None:
            return EPOCH + timedelta(microseconds=known)
        await self._keep(f"{micros(now):016d} {key}\n")
        self._remember(key, micros(now))
        return now

    def _remember(self, key: str, at: int) -> None:
        self._times[key] = at
        if len(self._times) > self._kept:
            self._times.popitem(last=False)

    async def _keep(self, line: str) -> None:
        """Returns once the line is on the disk; lines that come meanwhile go together."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._new.append((line, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        try:
            while self._new:
                taken, self._new = self._new, []
                failure = await asyncio.to_thread(self._append, "".join(line for line, _ in taken))
                for _, done in taken:
                    if done.done():  # nobody waits any more
                        continue
                    if failure:
                        done.set_exception(failure)
                    else:
                        done.set_result(None)
        finally:
            self._writing = None

    def _append(self, lines: str) -> OSError | None:
        try:
            self._written(lines)
        except OSError as failure:
            return failure
        return None

    def _written(self, lines: str) -> None:
        size = self._file.stat().st_size if self._file.exists() else 0
        if size >= self._kept * LENGTH:
            self._file.replace(self._before)
        made = not self._file.exists()
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            whole = os.fstat(descriptor).st_size // LENGTH * LENGTH  # what a full disk or the end of the power cut off stands behind
            os.ftruncate(descriptor, whole)
            if os.pwrite(descriptor, lines.encode("ascii"), whole) != len(lines):
                raise OSError(f"{self._file} could not be written whole")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if made:
            sync(self._file.parent)

    def _load(self, file: Path) -> None:
        with contextlib.suppress(FileNotFoundError), file.open("rb") as lines:
            while len(line := lines.read(LENGTH)) == LENGTH:
                at, key = line[:16], line[17:-1]
                if at.isdigit() and key.isascii():
                    self._remember(key.decode("ascii"), int(at))
