"""A small disk of an instance's own: an ext4 image on a loop device, to be filled or to lose its power."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = 3 * 1024**3  # bytes
SKIPPED = "a small disk can be made by root only"


def image_of(data: Path) -> Path:
    return data / "disk.ext4"


@contextmanager
def disk(data: Path) -> Iterator[tuple[Path, bool]]:
    """A folder on a small disk, and whether it is: the image is `image_of(data)`."""
    folder = data / "disk"
    folder.mkdir()
    made = os.geteuid() == 0 and _formatted(image_of(data)) and mounted(image_of(data), folder)
    folder.chmod(0o755)
    try:
        yield folder, made
    finally:
        if made:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def mounted(image: Path, folder: Path) -> bool:
    """Mount an image; False where the machine does not let us. What nobody asks to be on the disk stays off it for long (`commit`)."""
    return _done("mount", "-o", "loop,commit=600", str(image), str(folder))


def _formatted(image: Path) -> bool:
    with image.open("wb") as file:
        file.truncate(SIZE)
    return _done("mkfs.ext4", "-q", "-F", "-m", "0", str(image))


def _done(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
