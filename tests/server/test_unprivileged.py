"""An instance of somebody who is not root."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.server.instances import Instance

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as somebody else already")]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def test_it_runs_as_an_ordinary_user() -> None:
    if os.system(f"{' '.join(NOBODY)} {sys.executable} -c 'import haitang' 2>/dev/null"):  # noqa: S605  (our own words)
        pytest.skip("this checkout cannot be read by others")
    home = Path(tempfile.mkdtemp(prefix="haitang-nobody-"))
    os.chown(home, 65534, 65534)
    running = Instance(home / "data", prefix=NOBODY)
    try:
        running.start()
        assert running.ready()["parts"]["database"]["ok"]
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in running.processes()} == {65534}
        assert running.data.stat().st_mode & 0o777 == 0o700
        assert running.stop() == 0
    finally:
        if running.process.poll() is None:
            running.process.kill()
        shutil.rmtree(home)
