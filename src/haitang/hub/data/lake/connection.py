"""Connections to the lake: DuckDB in this process, DuckLake with its catalogue in PostgreSQL (schema `lake`) and its Parquet files at `lake_path`.

Extensions are loaded by path from their wheels, or from HAITANG_DUCKDB_EXTENSIONS; nothing is installed and nothing is written to the home directory.
"""

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
from psycopg.conninfo import conninfo_to_dict

from haitang.base.errors import error
from haitang.base.postgresql import sessions
from haitang.base.settings import settings
from haitang.hub.data.lake import spill
from haitang.hub.data.lake.s3 import Access, is_s3

NOT_READY = error("lake.not_ready", 503, "数据湖尚未建立，写入进程启动后即可查询，请稍后再试。")
NO_EXTENSION = error(
    "lake.no_extension", 500, "找不到 DuckDB 扩展 {name}（{path}），请安装其 wheel 包，或用 HAITANG_DUCKDB_EXTENSIONS 指明所在文件夹。"
)

CATALOGUE = "lake"
CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}  # of each DuckDB
_local = threading.local()
_shared: dict[tuple[int, str], Any] = {}
_lock = threading.Lock()


def extension(name: str) -> Path:
    """The file of a DuckDB extension for the DuckDB that runs; raises NO_EXTENSION."""
    if folder := os.environ.get("HAITANG_DUCKDB_EXTENSIONS"):
        path = Path(folder) / f"{name}.duckdb_extension"
    else:
        spec = find_spec(f"duckdb_extension_{name}")
        root = Path((spec.submodule_search_locations or ["."])[0]) if spec else Path()
        path = root / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.is_file():
        raise NO_EXTENSION(name=name, path=path)
    return path


def quoted(text: object) -> str:
    """A SQL string literal."""
    return "'" + str(text).replace("'", "''") + "'"


def plain(*, memory: str = "512MB", extensions: tuple[str, ...] = (), threads: int | None = None) -> Any:
    """A DuckDB without the lake, in UTC, that neither installs nor loads anything by itself. `threads`: None for as many as there are processors."""
    connection = duckdb.connect(
        config={
            **CONFIG,
            "memory_limit": memory,
            "temp_directory": str(spill.folder()),
            **({"threads": str(threads)} if threads else {}),
        }
    )
    connection.execute("set timezone = 'UTC'")
    for name in extensions:
        connection.execute(f"load {quoted(extension(name))}")
    return connection


def _attach(connection: Any, *, read_only: bool) -> None:
    """The password goes into a secret: DuckDB repeats the address, never a secret, in its errors."""
    address = conninfo_to_dict(settings().database_url)
    names = {"host": "host", "port": "port", "user": "user", "password": "password", "dbname": "database"}
    secret = ", ".join(f"{word} {quoted(address.pop(key))}" for key, word in names.items() if key in address)
    connection.execute(f"create secret lake_catalogue (type postgres, {secret})")
    address.setdefault("application_name", quoted(sessions.name()))
    rest = " ".join(f"{key}={value}" for key, value in address.items())
    data = settings().lake_path.rstrip("/") + "/"
    connection.execute(
        f"attach {quoted('ducklake:postgres:' + rest)} as lake (data_path {quoted(data)}, metadata_schema {quoted(CATALOGUE)}, "
        f"meta_secret 'lake_catalogue'{', read_only' if read_only else ''})"
    )
    connection.execute("use lake")


def _open(*, read_only: bool, memory: str) -> Any:
    remote = is_s3(settings().lake_path)
    connection = plain(memory=memory, extensions=("postgres_scanner", "ducklake", *(["httpfs"] if remote else [])))
    if remote:
        connection.execute(_s3_secret(Access.of(os.environ, settings().lake_path)))
    _attach(connection, read_only=read_only)
    return connection


def _s3_secret(access: Access) -> str:
    parts = [f"{word} {quoted(value)}" for word, value in access.words().items()]
    if access.endpoint:  # stores of one's own seldom have a host name for each bucket
        parts += ["url_style 'path'", f"use_ssl {'true' if access.tls else 'false'}"]
    return f"create secret lake_files (type s3, {', '.join(parts)})"


def writer() -> Any:
    """A connection that may write. One process holds one: `lake.process`."""
    if not is_s3(settings().lake_path):
        Path(settings().lake_path).mkdir(parents=True, exist_ok=True)
    return _open(read_only=False, memory=os.environ.get("HAITANG_LAKE_MEMORY", "1GB"))


def reader() -> Any:
    """This thread's read-only connection; one DuckDB serves all threads of the process. Raises NOT_READY before the writer's first start."""
    key = (os.getpid(), settings().lake_path + settings().database_url)
    cached = getattr(_local, "reader", None)
    if cached and cached[0] == key:
        return cached[1]
    with _lock:
        if key not in _shared:
            try:
                _shared[key] = _open(read_only=True, memory="512MB")
            except duckdb.InvalidInputException as reason:
                if "does not exist" in str(reason):
                    raise NOT_READY() from None
                raise
        cursor = _shared[key].cursor()
    cursor.execute("use lake")
    cursor.execute("set timezone = 'UTC'")  # a cursor has settings of its own
    _local.reader = (key, cursor)
    return cursor


def forget() -> None:
    """Drop this process's read-only connections; the next `reader()` opens anew."""
    _local.reader = None
    with _lock:
        _shared.clear()
