"""Files by content: photos, attachments, licences. The name of a file is the SHA-256 of its bytes, so nothing is ever overwritten.

They lie in `files/ab/cdef...` of the data directory. A file is written whole and synced before it gets its name.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.support.infrastructure.files.sniff import media_type

TOO_LARGE = error("files.too_large", 413, "文件超过 {most} MB，请压缩后再上传。")
EMPTY = error("files.empty", 422, "文件是空的，请重新选择。")
NOT_ACCEPTED = error("files.not_accepted", 415, "不能接收这种文件。可以上传照片、视频、PDF、办公文档和文本。")
NO_FILE = error("files.no_file", 404, "没有摘要为 {digest} 的文件。")

MEGABYTE = 1024 * 1024
MOST = 50 * MEGABYTE
_DIGEST = re.compile(r"^[0-9a-f]{64}$")
_CHUNK = 256 * 1024


class Readable(Protocol):
    """What gives bytes: an open file, an upload."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True)
class Stored:
    """A file in the store: `digest` is its SHA-256 in hex, `size` in bytes, `media_type` as its bytes say."""

    digest: str
    size: int
    media_type: str


def folder() -> Path:
    return settings().data / "files"


def path_of(digest: str) -> Path:
    """Where a file lies; raises NO_FILE for what is no digest or is not there."""
    found = folder() / digest[:2] / digest[2:]
    if not _DIGEST.match(digest) or not found.is_file():
        raise NO_FILE(digest=digest[:80])
    return found


def get(digest: str) -> BinaryIO:
    """Open a file for reading; raises NO_FILE."""
    return path_of(digest).open("rb")


def put(stream: Readable, *, most: int = MOST, accepts: Collection[str] | None = None) -> Stored:
    """Keep what `stream` gives; raises TOO_LARGE beyond `most` bytes, EMPTY, NOT_ACCEPTED for a kind that is unknown or not in `accepts`.

    The same content put twice is one file.
    """
    folder().mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder(), prefix=".incoming-") as incoming:
        digest, size = _copy(stream, incoming, most)
        kind = media_type(incoming)  # type: ignore[arg-type]
        if kind is None or (accepts is not None and kind not in accepts):
            raise NOT_ACCEPTED()
        incoming.flush()
        os.fsync(incoming.fileno())
        _name(Path(incoming.name), digest)
    return Stored(digest, size, kind)


def _copy(stream: Readable, to: "tempfile._TemporaryFileWrapper[bytes]", most: int) -> tuple[str, int]:
    hashed, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > most:
            raise TOO_LARGE(most=most // MEGABYTE)
        hashed.update(chunk)
        to.write(chunk)
    if not size:
        raise EMPTY()
    return hashed.hexdigest(), size


def _name(incoming: Path, digest: str) -> None:
    """A second name for the synced bytes; the temporary one goes when its file closes."""
    final = folder() / digest[:2] / digest[2:]
    final.parent.mkdir(exist_ok=True)
    try:
        os.link(incoming, final)
    except FileExistsError:
        return
    os.chmod(final, 0o600)
    directory = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
