"""A file as a stream of bytes that can go on from an offset: plain, or gzip unpacked on the way with limits."""

import gzip
import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from haitang.hub.data.gather import faults

MOST_UNPACKED = 64 << 30  # bytes; a table of a district has far less
MOST_RATIO = 1000  # zlib's own limit is about 1030; tables reach 100
_LOOKED_AT = 1 << 14  # bytes in which a line feed is looked for
_ROOM = 16 << 20  # below this many bytes no ratio is judged


class Opened:
    """Reads from `start`; `read_bytes` says how far the file on the disk is read."""

    def __init__(self, path: Path, start: int = 0) -> None:
        self.path = path
        self.total_bytes = path.stat().st_size
        self._disk: IO[bytes] = path.open("rb")
        self.packed = self._disk.read(2) == b"\x1f\x8b"
        self._disk.seek(0)
        self._stream = cast("IO[bytes]", gzip.GzipFile(fileobj=self._disk)) if self.packed else self._disk
        self._given = 0
        if self.packed:
            while start > self._given and self.read(min(1 << 20, start - self._given)):
                pass
        else:
            self._disk.seek(start)

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, an empty answer at the end."""
        try:
            data = self._stream.read(size)
        except (OSError, EOFError, zlib.error) as failure:
            raise faults.NOT_ZIP(name=self.path.name, why=str(failure)) from failure
        self._given += len(data)
        if self.packed:
            guard(self.path.name, self._given, max(self._disk.tell(), 1))
        return data

    def lines(self, size: int) -> bytes | None:
        """At most so many bytes, as many as end with a line feed, and not the last of the file: then nothing of them need be copied to stand before the next. None where
        that cannot be told beforehand."""
        end = self._disk.tell() + size
        if self.packed or end >= self.total_bytes:
            return None
        looked_at = min(size, _LOOKED_AT)
        feed = os.pread(self._disk.fileno(), looked_at, end - looked_at).rfind(b"\n")
        return self.read(size - looked_at + feed + 1) if feed >= 0 else None

    @property
    def read_bytes(self) -> int:
        return min(self._disk.tell(), self.total_bytes)

    def close(self) -> None:
        self._stream.close()
        self._disk.close()

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def guard(name: str, unpacked: int, packed: int) -> None:
    """Raise TOO_LARGE where so much came out of so little that it is no table."""
    limit = int(os.environ.get("HAITANG_MOST_UNPACKED", MOST_UNPACKED))
    if unpacked > limit:
        raise faults.TOO_LARGE(name=name, limit=f"{limit >> 20} MB")
    if unpacked > _ROOM and unpacked > packed * MOST_RATIO:
        raise faults.TOO_LARGE(name=name, limit=f"{MOST_RATIO} : 1")
