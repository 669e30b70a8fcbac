"""What is on the disk when the power goes."""

import os
from pathlib import Path


def sync(path: str | Path) -> None:
    """Return once a file's content is on the disk; of a folder, the names in it. A file that was renamed needs both, or it may come back empty, or under no name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(draft: Path, to: Path) -> None:
    """Give a written file its name: after a loss of power it is there whole, or not at all."""
    sync(draft)
    draft.replace(to)
    sync(to.parent)
