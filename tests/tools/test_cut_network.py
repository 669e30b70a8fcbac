"""The network that a benchmark cuts is whole again, also when the benchmark is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bench.network import VANISH, may_cut

from tests.ports import free_port
from tests.server.instances import wait_until

CHECKOUT = Path(__file__).parents[2]


def is_cut(port: int) -> bool:
    rule = ["INPUT", "-i", "lo", "-p", "tcp", "--dport", str(port), "-j", *VANISH]
    return subprocess.run(["iptables", "-w", "-C", *rule], capture_output=True).returncode == 0


@pytest.mark.skipif(os.geteuid() != 0 or not may_cut(), reason="the packet filter can be set by root only, where there is iptables")
def test_a_rule_of_the_packet_filter_goes_with_whoever_asked_for_it() -> None:
    port = free_port()  # nobody listens there, and no other run of this test cuts it
    program = f"from bench.network import VANISH, cut\ncut('nats://127.0.0.1:{port}', VANISH, 600)"
    with subprocess.Popen([sys.executable, "-c", program], cwd=CHECKOUT) as bench:
        wait_until(lambda: is_cut(port))
        bench.send_signal(signal.SIGKILL)
    wait_until(lambda: not is_cut(port))
