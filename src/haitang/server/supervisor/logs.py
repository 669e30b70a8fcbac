"""Log files of the children: appended to, kept to a size."""

import os
import shutil
from pathlib import Path

LARGEST = 20 << 20


def open_log(folder: Path, name: str) -> int:
    """A descriptor that appends to `name`.log."""
    return os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def rotate(folder: Path) -> None:
    """Move what is too large to `.1`. Writers append to the same file, so it is copied and cut."""
    for file in folder.glob("*.log"):
        if file.stat().st_size > LARGEST:
            shutil.copyfile(file, file.with_suffix(".log.1"))
            os.truncate(file, 0)


def last_lines(folder: Path, name: str, count: int = 5) -> str:
    """The end of a log, for the line that says why a child died."""
    try:
        text = (folder / f"{name}.log").read_bytes()[-4000:].decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-count:])
