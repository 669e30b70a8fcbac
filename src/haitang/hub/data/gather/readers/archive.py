"""Zip archives: limits before anything is unpacked, names as Chinese Windows writes them, one member read from its unpacked copy."""

import fnmatch
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from haitang.hub.data.gather import faults
from haitang.hub.data.gather.readers.opened import guard

_BLOCK = 1 << 20
_UTF8 = 0x800  # bit 11 of the flags: the name is UTF-8
_ENCRYPTED = 0x1


def check_archive(path: Path) -> None:
    """Raise where members would unpack beyond all proportion, by what the archive says of itself; `unpacked` counts what really comes out."""
    with _zip(path) as archive:
        members = archive.infolist()
        guard(path.name, sum(member.file_size for member in members), max(path.stat().st_size, 1))


def members_of(path: Path) -> list[tuple[str, zipfile.ZipInfo]]:
    """Files of the archive with their names, folders and the litter of macOS and Windows left out. Raises where a name leaves the archive."""
    with _zip(path) as archive:
        named = [(name_of(member), member) for member in archive.infolist() if not member.is_dir()]
    for name, member in named:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in parts.parts[0] or stat.S_ISLNK(member.external_attr >> 16):
            raise faults.MEMBER_UNSAFE(name=name)
    return [(name, member) for name, member in named if not _litter(name)]


def name_of(member: zipfile.ZipInfo) -> str:
    """Without the UTF-8 flag a name is in the writer's code page: GB18030 in China, though some write UTF-8 and do not say so."""
    if member.flag_bits & _UTF8:
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename


def _litter(name: str) -> bool:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return parts[0] == "__MACOSX" or parts[-1].startswith(("._", "~$")) or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini")


def choose(path: Path, pattern: str | None) -> tuple[str, zipfile.ZipInfo]:
    """The one member to read. Raises where none or several can be meant, and says which there are."""
    members = members_of(path)
    fitting = [(name, member) for name, member in members if _fits(name, pattern)]
    names = "、".join(name for name, _ in (fitting or members)[:20])
    if not fitting:
        raise faults.NO_MEMBER(pattern=f"（{pattern}）" if pattern else "", names=names)
    if len(fitting) > 1:
        raise faults.SEVERAL_MEMBERS(names=names)
    return fitting[0]


_READABLE = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".json", ".jsonl", ".ndjson", ".geojson", ".parquet")


def _fits(name: str, pattern: str | None) -> bool:
    if pattern:
        return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(PurePosixPath(name).name, pattern)
    return name.lower().endswith(_READABLE)


@contextmanager
def unpacked(path: Path, pattern: str | None) -> Iterator[tuple[Path, str]]:
    """A copy of the chosen member in a folder that is removed afterwards, and its name. Raises where it is larger than it may be."""
    name, member = choose(path, pattern)
    if member.flag_bits & _ENCRYPTED:
        raise faults.MEMBER_ENCRYPTED(name=name)
    with tempfile.TemporaryDirectory(prefix="haitang-unpacked-") as folder:
        copy = Path(folder) / ("member" + PurePosixPath(name).suffix.lower())
        try:
            with _zip(path) as archive, archive.open(member) as packed, copy.open("wb") as out:
                given = 0
                while block := packed.read(_BLOCK):
                    given += len(block)
                    guard(name, given, max(member.compress_size, 1))
                    out.write(block)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError) as failure:
            raise faults.NOT_ZIP(name=path.name, why=str(failure)) from failure
        yield copy, name


@contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as failure:
        raise faults.NOT_ZIP(name=path.name, why=str(failure)) from failure
    with archive:
        yield archive
