"""The data directory: made private; everything the instance keeps lies in it."""

import os
from pathlib import Path

FOLDERS = ("run", "logs", "keys", "files", "lake")


def make(data: Path) -> None:
    """Make the data directory and its folders. Root's may be passed through, since the engines run as another user inside it."""
    existed = data.is_dir()
    data.mkdir(parents=True, exist_ok=True)
    if not existed or os.stat(data).st_uid == os.geteuid():
        data.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for name in FOLDERS:
        (data / name).mkdir(exist_ok=True)
        (data / name).chmod(0o700)


def clear_run(run: Path) -> None:
    """Forget what a previous run left: beats, pids, sockets, addresses."""
    for pattern in ("*.beat", "*.pid", "*.sock", "instance.json", "*.new"):
        for file in run.glob(pattern):
            file.unlink(missing_ok=True)
