"""The power goes under load: what had not reached the disk is gone, what was acknowledged is there.

The instance lies on a disk image of its own (ext4 on a loop device). At a random moment every process is stopped and the image copied: the copy holds what was written to the device and nothing of
what the kernel still kept in memory, which is what a machine finds when the power comes back. Everything is killed, the copy takes the place of the disk, `haitang up` starts on it, the clients
go on where they were, and the books are compared. A device that acknowledges a flush and loses it all the same is not simulated.
"""

import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.books import compared
from bench.faults import every_process, tell
from bench.figures import Figure, Options
from bench.instance import city_running, started_again, until
from bench.load_endurance import officer, working
from bench.made_firms import declare
from bench.sensing_http import credentials
from bench.small_disk import SKIPPED, disk, image_of, mounted

TITLE = "Power loss: what is acknowledged is on the disk"
DEVICES = 20
ROUNDS, QUICK_ROUNDS = 5, 2  # losses of power


def run(options: Options) -> list[Figure]:
    chance, seconds = random.Random(), list[float]()
    with disk(options.data) as (folder, small):
        if not small:
            return [Figure(f"power loss: skipped, {SKIPPED}", 0, "")]
        with city_running(folder, DEVICES, hj212=True, more=declare) as instance, ExitStack() as again:
            with working(instance, credentials(), officer(instance.url), options.data / "files") as known:
                for number in range(options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)):
                    time.sleep(chance.uniform(6, 10) if options.quick else chance.uniform(20, 40))
                    _power_off(options.data, number, folder, instance)
                    seconds.append(again.enter_context(started_again(instance)))
                    print(f"power lost: ready after {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
                time.sleep(3)
            return [
                Figure("losses of power", len(seconds), "losses"),
                Figure("ready again after the power came back, worst", max(seconds), "s"),
                Figure("requests and commands made again", known.again, "requests"),
                *(Figure(f"failed: {why}", count, "times") for why, count in sorted(known.said.items())),
                Figure("workers that gave up: " + "; ".join(known.problems)[:200], len(known.problems), "workers", goal=0, more=False),
                *compared(instance, known),
            ]


def _power_off(data: Path, number: int, folder: Path, instance: Any) -> None:
    """The power goes and comes back: the folder then has what the disk had."""
    image, left = image_of(data), data / "left.ext4"
    processes = every_process(instance.data)
    tell(processes, signal.SIGSTOP)
    subprocess.run(["cp", "--sparse=always", str(image), str(left)], check=True)
    tell(processes, signal.SIGKILL)
    until("every process gone", lambda: not any(_runs(each) for each in processes), seconds=60)
    subprocess.run(["umount", "-l", str(folder)], check=True)
    left.replace(image)
    if not mounted(image, folder):
        raise RuntimeError(f"the disk as loss {number} of the power left it cannot be mounted: {image}")


def _runs(pid: int) -> bool:
    """Whether a process is there, and not only what its parent has not yet asked about."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
