"""Where a DuckDB puts what does not fit its memory: a folder of its own each, because DuckDB gives its files the same names wherever it runs."""

import itertools
import os
import shutil
from pathlib import Path

from haitang.base.settings import settings

_PREFIX = "duckdb-"
_number = itertools.count(1)


def folder() -> Path:
    """A folder for one DuckDB of this process, which makes it when it needs it and takes it away when it ends. Those of processes that were killed go now."""
    for left in settings().run.glob(f"{_PREFIX}*"):
        if not _runs(left.name.removeprefix(_PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    return settings().run / f"{_PREFIX}{os.getpid()}-{next(_number)}"


def _runs(process: str) -> bool:
    return process.isdigit() and Path(f"/proc/{process}").exists()
