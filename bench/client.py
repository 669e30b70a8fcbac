"""The other side of a measurement: a module of `bench` in a process of its own, which says at its end what it saw."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
LONGEST = 1800  # seconds


def run(load: str, *words: object, lines: Iterable[str] = ()) -> dict[str, Any]:
    """What `python -m bench.load_NAME WORDS` printed, given these lines. Raises RuntimeError with its own words where it failed."""
    return told(f"bench.load_{load}", *words, given="".join(f"{line}\n" for line in lines))


def told(module: str, *words: object, given: str = "") -> dict[str, Any]:
    """What `python -m MODULE WORDS` printed, given this text; what it said on stderr beside that is said here. Raises RuntimeError with its own words where it failed."""
    command = [sys.executable, "-m", module, *map(str, words)]
    done = subprocess.run(command, input=given, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} failed: {done.stderr[-3000:]}")
    print(done.stderr, end="", file=sys.stderr, flush=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]
