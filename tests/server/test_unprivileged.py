"""An instance of somebody who is not root."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tests.server.instances import CHECKOUT, Instance, clean_environment, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as somebody else already")]
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def _python() -> tuple[str, str] | None:
    """An interpreter that somebody else may run, and the path on which it finds the product; None where there is none."""
    packages = os.pathsep.join([sysconfig.get_path("purelib"), str(CHECKOUT / "src")])
    # A child of the child: setpriv itself still reaches what its own user may.
    probe = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', 'import django, haitang']).returncode)"
    for python, path in ((sys.executable, ""), (f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}", packages)):
        environment = {**clean_environment(), **({"PYTHONPATH": path} if path else {})}
        ran = subprocess.run([*NOBODY, python, "-c", probe], env=environment, cwd="/", capture_output=True, check=False)
        if ran.returncode == 0:
            return python, path
    return None


def _owners(pids: list[int]) -> set[int]:
    found = set()
    for pid in pids:
        with suppress(FileNotFoundError):  # it has ended since: one that only forks another does so at once
            found.add(Path(f"/proc/{pid}").stat().st_uid)
    return found


def test_it_runs_as_an_ordinary_user() -> None:
    found = _python()
    if found is None:
        pytest.skip("this checkout and its Python cannot be read by others")
    python, path = found
    home = Path(tempfile.mkdtemp(prefix="haitang-nobody-"))
    os.chown(home, 65534, 65534)
    running = Instance(home / "data", prefix=NOBODY, python=python, path=path)
    try:
        running.start()
        wait_until(lambda: running.works("database"))
        assert _owners(running.processes()) == {65534}
        assert running.data.stat().st_mode & 0o777 == 0o700
        assert running.stop() == 0
    finally:
        if running.process.poll() is None:
            running.process.kill()
        shutil.rmtree(home)
