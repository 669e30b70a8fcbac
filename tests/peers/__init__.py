"""Independent peers in Node.js, each a process of its own. `./haitang test` installs them; without them their tests are skipped, with the reason."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = shutil.which("node")


def needs_peers() -> None:
    """Skip where Node.js or the packages are missing; under CI that is a failure."""
    if not os.environ.get("CI") and (NODE is None or not (HERE / "node_modules").is_dir()):
        pytest.skip("no Node.js, or `npm ci` was not run in tests/peers")


@contextmanager
def peer(script: str, *arguments: str) -> Iterator[None]:
    """Run a peer until the block ends; it says `ready` when it listens."""
    needs_peers()
    assert NODE
    running = subprocess.Popen([NODE, script, *arguments], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert running.stdout
        said = []
        for line in running.stdout:
            said.append(line)
            if line.strip() == "ready":
                break
        else:
            raise RuntimeError("".join(said))
        yield
    finally:
        running.terminate()
        running.wait(60)
