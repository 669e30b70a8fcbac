"""A wall clock of an instance's own, which jumps when told to: a library that is preloaded into its processes (`clock_shift.c`)."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SKIPPED = "there is no C compiler for a clock of the instance's own"


class Clock:
    """The wall clock of the processes that were started while it was preloaded. NATS, a static program, keeps the machine's, as do the stamps of files."""

    def __init__(self, told: Path) -> None:
        self.told = told
        told.write_bytes(bytes(8))

    def shift(self, seconds: int) -> None:
        """From now on it is so much ahead of the machine's (behind it, where negative), at once."""
        with self.told.open("r+b") as out:
            out.write(struct.pack("<q", seconds))


@contextmanager
def clock(folder: Path) -> Iterator[Clock | None]:
    """A clock for whatever this process starts in the block; None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        yield None
        return
    library, told = folder / "clock_shift.so", folder / "clock_shift"
    source = Path(__file__).with_name("clock_shift.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source), "-ldl"], check=True)
    made = Clock(told)
    for each in (library, told):
        each.chmod(0o644)  # the engines run as another user
    os.environ.update(LD_PRELOAD=str(library), CLOCK_SHIFT=str(told))
    try:
        yield made
    finally:
        del os.environ["LD_PRELOAD"], os.environ["CLOCK_SHIFT"]
