"""The whole chain with its lake on a real S3 store; then a backup, restored to another place of the store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.s3_server import S3Server

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def _haitang(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "haitang.server.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd="/", timeout=400, check=False)


def test_the_chain_holds_with_the_lake_on_s3_and_a_backup_of_it_restores(tmp_path: Path) -> None:
    store = S3Server(tmp_path / "store").start()
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HAITANG_")} | store.environment
    environment = {**plain, "HAITANG_LAKE": "s3://haitang/tour"}
    data = tmp_path / "data"
    try:
        told = json.loads(_haitang(environment, "tour", "--json", "--data", str(data)).stdout)
        assert [entry for entry in told["stations"] if not entry["held"]] == []
        running = subprocess.Popen(
            [sys.executable, "-m", "haitang.server.cli", "up", "--data", str(data), "--http", "0", "--hj212", "0", "--mqtt", "0"],
            env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert running.stdout
        assert any("海棠已就绪" in line for line in running.stdout)
        made = _haitang(plain, "backup", str(tmp_path / "all.tar"), "--data", str(data), "--json")
        running.terminate()
        running.communicate(timeout=90)
        assert made.returncode == 0, made.stderr
        over = _haitang(environment, "restore", str(tmp_path / "all.tar"), "--data", str(tmp_path / "over"))
        assert "server.lake_not_empty" in over.stderr
        elsewhere = {**plain, "HAITANG_LAKE": "s3://haitang/restored"}
        restored = _haitang(elsewhere, "restore", str(tmp_path / "all.tar"), "--data", str(tmp_path / "new"))
        assert restored.returncode == 0, restored.stderr
    finally:
        store.stop()
