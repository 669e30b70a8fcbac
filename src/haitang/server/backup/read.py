"""Restores a backup into a new data directory."""

import hashlib
import json
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg

from haitang.base.errors import error
from haitang.base.settings import Settings
from haitang.hub.data.lake.s3 import filesystem, is_s3, names
from haitang.server import instance
from haitang.server.backup import database
from haitang.server.backup.write import FORMAT, PARTS
from haitang.server.supervisor import folders
from haitang.server.supervisor.death import tied_to_parent
from haitang.server.supervisor.engines import engines

NOT_EMPTY = error("server.not_empty", 409, "{data} 已有数据，不会覆盖。请用 --data 指定一个新目录。")
LAKE_NOT_EMPTY = error("server.lake_not_empty", 409, "{lake} 已有数据，不会覆盖。请把 HAITANG_LAKE 指向一个空的位置。")
NOT_A_BACKUP = error("server.not_a_backup", 400, "{file} 不是可用的备份：{reason}")
NOT_EQUAL = error("server.not_equal", 500, "恢复后的行数与备份不符：{tables}。请保留备份文件并报告平台维护人员。")


def restore(settings: Settings, file: Path) -> dict[str, Any]:
    """Restore `file` into the data directory of `settings`, which must be new; gives the manifest."""
    if settings.data.exists() and any(settings.data.iterdir()):
        raise NOT_EMPTY(data=settings.data)
    if is_s3(settings.lake) and names(settings.lake):
        raise LAKE_NOT_EMPTY(lake=settings.lake)
    folders.make(settings.data)
    held = instance.lock(settings.data)
    assert held
    unpacked = settings.run / "restoring"
    manifest = _unpack(file, unpacked)
    for part in PARTS:
        if (unpacked / part).is_dir() and not (part == "lake" and is_s3(settings.lake)):
            shutil.copytree(unpacked / part, settings.lake_path if part == "lake" else settings.data / part, dirs_exist_ok=True)
    if is_s3(settings.lake):
        _put_objects(unpacked / "lake", settings.lake)
    with _running_database(settings) as url:
        if not database.is_empty(url):
            raise NOT_EMPTY(data="HAITANG_DATABASE_URL")
        found = database.restore(url, unpacked / "database.dump")
        database.move_lake(url, settings.lake_path)
    shutil.rmtree(unpacked)
    wrong = [f"{table} {found.get(table, 0)}/{count}" for table, count in manifest["rows"].items() if found.get(table, 0) != count]
    if wrong:
        raise NOT_EQUAL(tables="、".join(wrong[:8]))
    return manifest


def _put_objects(folder: Path, lake: str) -> None:
    store, top = filesystem(lake)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as source, store.open_output_stream(f"{top}/{path.relative_to(folder)}") as target:
            shutil.copyfileobj(source, target)


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack and compare every digest."""
    try:
        with tarfile.open(file) as archive:
            _extract(archive, folder)
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    except (OSError, tarfile.TarError, ValueError) as reason:
        raise NOT_A_BACKUP(file=file, reason=str(reason)) from None
    if manifest.get("format") != FORMAT:
        raise NOT_A_BACKUP(file=file, reason=f"格式 {manifest.get('format')}，本版本读取格式 {FORMAT}")
    for name, told in manifest["files"].items():
        path = folder / name
        if not path.is_file() or _digest(path) != told["sha256"]:
            raise NOT_A_BACKUP(file=file, reason=f"{name} 缺失或内容被改动")
    return manifest


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Plain files below `folder` and nothing else. Python's own filter for this came with 3.11.4; Debian 12 has 3.11.2."""
    for member in archive:
        target = folder / member.name
        if not member.isreg() or Path(member.name).is_absolute() or ".." in Path(member.name).parts:
            raise ValueError(f"{member.name}：只应有普通文件")
        target.parent.mkdir(parents=True, exist_ok=True)
        source = archive.extractfile(member)
        assert source
        with source, target.open("xb") as out:
            target.chmod(member.mode & 0o700)
            shutil.copyfileobj(source, out)


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def _running_database(settings: Settings) -> Iterator[str]:
    """The address of an answering database: the outside one, else ours for as long as this takes."""
    if settings.database_url:
        yield settings.database_url
        return
    settings, _ = engines(replace(settings, nats_url="none"))
    from haitang.support.infrastructure.embedded.postgres import Postgres

    server = Postgres(settings.data / "postgres", int(psycopg.conninfo.conninfo_to_dict(settings.database_url)["port"] or 0))
    process = subprocess.Popen(
        server.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/",
        preexec_fn=tied_to_parent(signal.SIGINT),
    )  # fmt: skip
    try:
        _await(server)
        yield settings.database_url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _await(server: Any, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            return server.ensure_database()  # type: ignore[no-any-return]
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
