"""A fresh checkout prepares itself: in a folder with spaces, by somebody who is not root, without Node.js on the path, and only once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import bootstrap_steps

TOP = Path(__file__).parents[2]
NEEDED = ("sh", "dirname", "git", "env")


def _checkout(folder: Path) -> Path:
    made = folder / "a folder 海棠"
    made.mkdir()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=TOP, capture_output=True, check=True).stdout
    subprocess.run(["tar", "x", "-C", str(made)], input=archive, check=True)
    return made


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_checkout_prepares_itself_without_node_and_only_once(tmp_path: Path) -> None:
    made = _checkout(tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in NEEDED:
        (tools / name).symlink_to(next(p for p in (Path("/bin") / name, Path("/usr/bin") / name) if p.exists()))
    environment = {**os.environ, "PATH": str(tools), "HAITANG_PYTHON": sys.executable}
    first = subprocess.run([str(made / "haitang"), "--help"], env=environment, capture_output=True, text=True, timeout=800, check=False)
    assert first.returncode == 0, first.stderr[-2000:]
    assert "Node.js" in first.stderr
    assert (made / "src/haitang/web_assets/manifest.json").is_file()
    again = subprocess.run([str(made / "haitang"), "--help"], env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert (again.returncode, again.stderr) == (0, "")


def test_the_machines_node_is_used_when_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, says in {"node": "v22.1.0", "npm": "10.0.0"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    npm, _ = bootstrap_steps.node_and_npm(TOP, tmp_path / "bin" / "python")
    assert npm == [str(tmp_path / "npm")]


def test_an_old_node_or_one_that_does_not_run_is_none(tmp_path: Path) -> None:
    old, broken = tmp_path / "old", tmp_path / "broken"
    old.write_text("#!/bin/sh\necho v18.19.0\n")
    broken.write_text("#!/nowhere\n")
    for file in (old, broken):
        file.chmod(0o755)
    assert [bootstrap_steps._node_is_new(str(file)) for file in (old, broken, tmp_path / "absent")] == [False] * 3


def test_what_the_tests_need_includes_what_a_run_needs() -> None:
    run, dev = (set((TOP / "requirements" / f"{name}.txt").read_text("utf-8").splitlines()) for name in ("run", "dev"))
    assert run - dev == set()
