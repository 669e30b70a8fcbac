"""The machine: disk, memory, clock, programs, ports, rights."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from haitang.base.errors import HaitangError
from haitang.base.settings import settings
from haitang.server.doctor import Finding
from haitang.server.front.static import ASSETS
from haitang.server.instance import read
from haitang.support.infrastructure.embedded import binaries
from haitang.support.infrastructure.embedded.ports import is_free

GIB = 1 << 30


def findings() -> Iterator[Finding]:
    """What the machine offers to an instance."""
    yield Finding("Python", sys.version_info >= (3, 11), sys.version.split()[0], "安装 Python 3.11 或更高版本。")
    yield _disk()
    yield _memory()
    yield from _rights()
    yield from _engines()
    yield Finding("网页资源", (ASSETS / "manifest.json").is_file(), str(ASSETS), "运行任一 ./haitang 命令会自动构建；检查网络后重试。")
    if not read(settings().data):
        yield from _ports()


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _disk() -> Finding:
    free = shutil.disk_usage(_existing(settings().data)).free
    return Finding("磁盘空间", free > 2 * GIB, f"{free / GIB:.1f} GiB 可用", "至少留出 2 GiB：清理磁盘，或用 --data 选择更大的磁盘。")


def _memory() -> Finding:
    found = {line.split(":")[0]: int(line.split()[1]) for line in Path("/proc/meminfo").read_text("ascii").splitlines()}
    total = found["MemTotal"] / (1 << 20)
    return Finding("内存", total > 3.5, f"{total:.1f} GiB", "至少需要 4 GiB 内存。")


def _rights() -> Iterator[Finding]:
    data = settings().data
    place = _existing(data)
    ok = os.access(place, os.W_OK | os.X_OK)
    yield Finding("数据目录可写", ok, str(data), f"把 {place} 的所有权交给当前用户，或用 --data 另选目录。")
    if data.is_dir() and ok:
        mode = data.stat().st_mode & 0o777
        yield Finding("数据目录权限", not mode & 0o066, f"{mode:o}", f"执行 chmod 700 {data}（root 运行时为 711）。")


def _engines() -> Iterator[Finding]:
    if not settings().database_url:
        yield _program("PostgreSQL 程序", binaries.postgres)
    if not settings().nats_url:
        yield _program("NATS 程序", binaries.nats_server)
    if os.geteuid() == 0:
        yield Finding(
            "setpriv", shutil.which("setpriv") is not None, shutil.which("setpriv") or "没有", "安装 util-linux，或以普通用户运行。"
        )


def _program(what: str, find: "object") -> Finding:
    try:
        return Finding(what, True, str(find()))  # type: ignore[operator]
    except HaitangError as failure:
        return Finding(what, False, "没有", failure.sentence)


def _ports() -> Iterator[Finding]:
    for name in ("http", "hj212", "mqtt"):
        port = getattr(settings(), name)
        yield Finding(
            f"端口 {port}（{name}）",
            port == 0 or is_free(port),
            "空闲" if is_free(port) else "被占用",
            f"停止占用它的程序，或用 --{name} 另选。",
        )
