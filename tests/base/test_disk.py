"""What was said to be kept is on the disk before anything counts on it."""

import os
from pathlib import Path

import pytest

from haitang.base import disk
from haitang.support.infrastructure.embedded.secrets import kept_secret


def test_a_password_is_on_the_disk_before_its_cluster_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[str, int]] = []

    def noted(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((path.name, path.stat().st_size if path.is_file() else len(list(path.iterdir()))))

    monkeypatch.setattr(disk.os, "fsync", noted)
    secret = kept_secret(tmp_path / "password")
    assert synced == [("password.new", len(secret)), (tmp_path.name, 1)]  # the whole content, then the name
    assert kept_secret(tmp_path / "password") == secret
