"""A bundle installs without a network, on the machine that it is for, and only as it was packed."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import unbundling
from bootstrap_steps import Failed

from haitang.server.bundle.archive import make
from tests.server.instances import clean_environment

FITS = {"python": f"{sys.version_info.major}.{sys.version_info.minor}", "architecture": platform.machine(), "glibc": [2, 17]}


def unpacked(folder: Path, **about: Any) -> Path:
    """What an unpacked bundle looks like, with one file in it."""
    (folder / "src").mkdir()
    (folder / "src" / "one.py").write_text("one = 1\n")
    (folder / unbundling.ABOUT).write_text(json.dumps({**FITS, **about}))
    digest = hashlib.sha256((folder / "src" / "one.py").read_bytes()).hexdigest()
    (folder / unbundling.SUMS).write_text(f"{digest}  src/one.py\n")
    return folder


def test_a_bundle_as_it_was_packed_is_accepted(tmp_path: Path) -> None:
    unbundling.check_sums(unpacked(tmp_path))


@pytest.mark.parametrize(("change", "said"), [("one = 2\n", "src/one.py：内容不符"), (None, "src/one.py：缺失")])
def test_a_changed_or_missing_file_is_named_and_nothing_is_installed(tmp_path: Path, change: str | None, said: str) -> None:
    file = unpacked(tmp_path) / "src" / "one.py"
    file.unlink() if change is None else file.write_text(change)
    with pytest.raises(Failed, match=said):
        unbundling.check_sums(tmp_path)


@pytest.mark.parametrize(
    ("about", "said"),
    [({"python": "3.9"}, "用于 Python 3.9"), ({"architecture": "riscv64"}, "用于 riscv64"), ({"glibc": [99, 0]}, "需要 99.0")],
)
def test_another_machine_than_the_one_it_is_for_is_told_so(tmp_path: Path, about: dict[str, Any], said: str) -> None:
    with pytest.raises(Failed, match=said):
        unbundling.unbundled(unpacked(tmp_path, **about))
    assert not (tmp_path / ".venv").exists()


def test_offline_outside_a_bundle_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="haitang bundle"):
        unbundling.unbundled(tmp_path)


_INSIDE = """
ip link set lo up
./haitang up --offline --data "$1" --http 18931 --hj212 0 --mqtt 0 > "$1.log" 2>&1 &
up=$!
for _ in $(seq 300); do
    sleep 1
    if "$HAITANG_PYTHON" -c 'import urllib.request as u; u.urlopen("http://127.0.0.1:18931/ready", timeout=3)' 2>/dev/null; then echo READY; break; fi
done
"$HAITANG_PYTHON" -c 'import socket; socket.create_connection(("192.0.2.1", 80), 2)' 2>/dev/null && echo "A NETWORK"
kill -INT $up; wait $up
"""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_bundle_comes_up_in_a_namespace_without_a_network(tmp_path: Path) -> None:
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("only root can make a network namespace here, with unshare and ip")
    tmp_path.chmod(0o755)
    file = make(tmp_path / "bundle.tar.gz", platform.machine(), say=print)
    with tarfile.open(file) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = next(tmp_path.glob("haitang-*/"))
    assert len(json.loads((folder / "SBOM.cdx.json").read_text())["components"]) > len(list((folder / "wheels").iterdir()))
    python = Path(sys.executable).resolve()
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", _INSIDE, "sh", str(tmp_path / "data")],
        cwd=folder, env={**clean_environment(), "HAITANG_PYTHON": str(python)}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["READY"], done.stdout + done.stderr + (tmp_path / "data.log").read_text()
