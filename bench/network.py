"""The network between two processes of this machine, cut for a while: packets to one port on loopback vanish or are answered with a reset.

The rule of the packet filter is set and taken away by a program of its own (`python -m bench.network PORT SECONDS VERDICT…`), which takes it away at once where whoever
started it is gone: a benchmark that is killed leaves no rule behind.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

VANISH = ("DROP",)  # as a cable that is out
RESET = ("REJECT", "--reject-with", "tcp-reset")  # as a firewall that resets
SKIPPED = "the packet filter (iptables) can be set by root only"


def may_cut() -> bool:
    """Whether this machine lets us: a rule that touches nobody is set and taken away."""
    if os.geteuid() != 0 or shutil.which("iptables") is None:
        return False
    return all(_iptables(how, 1, VANISH) == 0 for how in ("-I", "-D"))


def cut(url: str, verdict: tuple[str, ...], seconds: float) -> None:
    """For a while no packet reaches the service of `url` on this machine."""
    with _cutter(url, verdict, seconds) as cutter:
        _ended(cutter, url, seconds)


@contextmanager
def broken(url: str, verdict: tuple[str, ...], most: float) -> Iterator[None]:
    """Soon after the block has begun, and until it ends or `most` seconds are over, no packet reaches the service of `url` on this machine."""
    with _cutter(url, verdict, most) as cutter:
        try:
            yield
        finally:
            if cutter.stdin:
                cutter.stdin.close()
            _ended(cutter, url, most)


def _cutter(url: str, verdict: tuple[str, ...], seconds: float) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bench.network", str(urlsplit(url).port), str(seconds), *verdict]
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[1])  # its input ends when we do


def _ended(cutter: "subprocess.Popen[bytes]", url: str, seconds: float) -> None:
    if cutter.wait(seconds + 30):
        raise RuntimeError(f"no rule of the packet filter for port {urlsplit(url).port}")


def _iptables(how: str, port: int, verdict: tuple[str, ...]) -> int:
    rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", *verdict]
    return subprocess.run(["iptables", "-w", how, *rule], capture_output=True, check=False).returncode


def _main(port: int, seconds: float, verdict: tuple[str, ...]) -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends soon by itself, and in order
    if _iptables("-I", port, verdict):
        return 1
    try:
        select.select([sys.stdin], [], [], seconds)  # readable when the other end is gone
    finally:
        failed = _iptables("-D", port, verdict)
    return failed


if __name__ == "__main__":
    sys.exit(_main(int(sys.argv[1]), float(sys.argv[2]), tuple(sys.argv[3:])))
