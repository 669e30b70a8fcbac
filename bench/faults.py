"""Faults to set on the processes of a running instance and on its disk: they die, they hang, no byte is left."""

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from bench.instance import below


def pid(data: Path, name: str) -> int:
    return int((data / "run" / f"{name}.pid").read_text().split()[0])


def supervisor(data: Path) -> int:
    return int(json.loads((data / "run" / "instance.json").read_text("utf-8"))["pid"])


def every_process(data: Path) -> list[int]:
    """Every process of an instance: the supervisor, what it runs, and their children."""
    roots = {supervisor(data), *(pid(data, file.stem) for file in (data / "run").glob("*.pid"))}
    return sorted(roots | {child for root in roots for child in below(root)})


def kill(data: Path, name: str) -> None:
    os.kill(pid(data, name), signal.SIGKILL)


def tell(pids: list[int], what: signal.Signals) -> None:
    """A signal to each that is still there."""
    for each in pids:
        try:
            os.kill(each, what)
        except ProcessLookupError:
            continue


def hang(data: Path, name: str, seconds: float) -> None:
    """A process and all its children say nothing for a while, and go on."""
    root = pid(data, name)
    tell([root, *below(root)], signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        tell([*below(root), root], signal.SIGCONT)


def fill(folder: Path, seconds: float, meanwhile: Callable[[], None]) -> None:
    """Fill the disk of a folder to its last byte for at least a while, look what works, and free it again."""
    file = folder / "filler"
    with file.open("wb", 0) as out, contextlib.suppress(OSError):
        os.posix_fallocate(out.fileno(), 0, shutil.disk_usage(folder).free)
    with file.open("ab", 0) as out, contextlib.suppress(OSError):
        while True:
            out.write(bytes(64 * 1024))
    until = time.monotonic() + seconds
    try:
        meanwhile()
        time.sleep(max(0.0, until - time.monotonic()))
    finally:
        file.unlink()
