"""Makes a backup of a running instance."""

import asyncio
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from haitang.base import clock
from haitang.base.disk import put
from haitang.base.errors import error
from haitang.base.settings import Settings
from haitang.hub.data.gather.backing import hold
from haitang.hub.data.lake.s3 import filesystem, is_s3, names
from haitang.server.backup import database
from haitang.support.infrastructure.stream.client import CONSUMERS, connect

T = TypeVar("T")
FORMAT = 1
NOT_DRAINED = error(
    "server.not_drained", 503, "消息流中还有数据没有被 {process} 处理，没有备份。请用 haitang status 查看该进程，稍后重试。"
)
STREAM_SILENT = error(
    "server.stream_silent", 503, "消息流在 {seconds} 秒内没有应答（{reason}），没有备份。请用 haitang status 查看 stream，稍后重试。"
)
PARTS = ("lake", "files", "keys", "archives", "provisional", "gather")
SNAPSHOTS = 5  # taken one after the other while files of runs that end just then slip away


async def drain(seconds: float = 120) -> None:
    """Wait until what the stream holds now is in the lake and judged, so that the backup needs no stream. What comes meanwhile is not waited for."""
    stream = await connect()
    try:
        until = time.monotonic() + seconds
        last = await _answered(stream.last, until, seconds)
        for consumer in CONSUMERS:
            while not await _answered(partial(stream.is_done, consumer, last), until, seconds):
                if time.monotonic() > until:
                    raise NOT_DRAINED(process=consumer)
                await asyncio.sleep(0.2)
    finally:
        await stream.close()


async def _answered(ask: Callable[[], Awaitable[T]], until: float, seconds: float) -> T:
    """What the stream says, asked again where it is too busy to answer, or is started anew just now."""
    while True:
        try:
            return await ask()
        except NotFoundError:
            raise
        except (NatsError, TimeoutError, OSError) as reason:
            if time.monotonic() > until:
                raise STREAM_SILENT(seconds=round(seconds), reason=str(reason) or type(reason).__name__) from None
        await asyncio.sleep(0.2)


def write(settings: Settings, file: Path) -> dict[str, Any]:
    """Write the backup to `file`; gives its manifest. The database goes first: files that it names are only removed much later."""
    draft = file.with_name(f".{file.name}.part")
    digests: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(dir=settings.run) as folder, draft.open("xb") as raw:
        draft.chmod(0o600)
        dumped, held = Path(folder) / "database.dump", Path(folder) / "gather"
        rows = _dump(settings, dumped, held)
        with opened(raw) as archive:
            _add(archive, dumped, "database.dump", digests)
            for path, name in _files(settings, held):
                _add(archive, path, name, digests)
            if is_s3(settings.lake):
                _add_objects(archive, settings.lake, Path(folder), digests)
            manifest = {
                "format": FORMAT, "made_at": clock.now().isoformat(), "place": settings.place, "lake": settings.lake or "lake/",
                "rows": rows, "files": digests,
            }  # fmt: skip
            text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
            entry = tarfile.TarInfo("manifest.json")
            entry.size, entry.mode = len(text), 0o600
            archive.addfile(entry, io.BytesIO(text))
    put(draft, file)
    return manifest


def opened(out: BinaryIO) -> tarfile.TarFile:
    """An archive to be written. A file of two names (a part that the lake has taken over and a run still has) is written under each, not as a link from one
    to the other, which a restore refuses."""
    return tarfile.open(fileobj=out, mode="w", dereference=True)


def _dump(settings: Settings, file: Path, held: Path) -> dict[str, int]:
    """Dump the database, and keep in `held` the files that runs of gathering which had not ended then go on with. A run that ends between the snapshot
    and our look at its files takes them away: then once more."""
    there: list[bool] = []

    def look(snapshot: Any) -> None:
        shutil.rmtree(held, ignore_errors=True)
        there.append(hold(snapshot, settings.data / "gather", held))

    while True:
        rows = database.dump(settings.database_url, file, look)
        if there[-1] or len(there) == SNAPSHOTS:
            return rows


def _files(settings: Settings, held: Path) -> list[tuple[Path, str]]:
    """What lies in folders, by the name in the archive."""
    found = []
    for part in PARTS:
        top = {"lake": Path(settings.lake_path), "gather": held}.get(part, settings.data / part)
        if not (part == "lake" and is_s3(settings.lake)) and top.is_dir():
            found += [(path, f"{part}/{path.relative_to(top)}") for path in sorted(top.rglob("*")) if path.is_file()]
    return found


def _add_objects(archive: tarfile.TarFile, lake: str, folder: Path, digests: dict[str, dict[str, Any]]) -> None:
    """A lake on S3, one object after the other by way of a file here: its bucket may keep no earlier versions, and a dumped catalogue is of no use
    without the files that it names."""
    store, top = filesystem(lake)
    for name in names(lake):
        copy = folder / "object"
        with copy.open("wb") as target, suppress(FileNotFoundError), store.open_input_stream(f"{top}/{name}") as source:
            shutil.copyfileobj(source, target)
            target.flush()
            _add(archive, copy, f"lake/{name}", digests)


def _add(archive: tarfile.TarFile, path: Path, name: str, digests: dict[str, dict[str, Any]]) -> None:
    try:
        source = path.open("rb")
    except FileNotFoundError:  # compacted away since; the catalogue that was dumped is checked against what came along
        return
    with source:
        entry = archive.gettarinfo(arcname=name, fileobj=source)
        digests[name] = {"size": entry.size, "sha256": hashlib.file_digest(source, "sha256").hexdigest()}
        source.seek(0)
        archive.addfile(entry, source)
