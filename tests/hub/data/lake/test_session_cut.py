"""The lock of the lake's one writer is free again soon after its holder was cut off without a word to the server."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from bench.network import RESET, broken, may_cut

from haitang.hub.data.lake.session import NOTICED
from haitang.support.infrastructure.embedded.postgres import Postgres
from tests.ports import free_port
from tests.server.instances import wait_until


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[str]:
    """The address of a database server that no other test uses, for its network is cut."""
    server = Postgres(tmp_path / "postgres", free_port())
    server.prepare()
    with subprocess.Popen(server.command(), cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_until(lambda: answers(server), 60)
        yield server.url
        running.send_signal(signal.SIGINT)


def answers(server: Postgres) -> bool:
    with suppress(psycopg.OperationalError):
        server.ensure_database()
        return True
    return False


@pytest.mark.skipif(not may_cut(), reason="the packet filter can be set by root only, where there is iptables")
def test_a_session_that_is_gone_behind_a_broken_network_gives_its_lock_back(own_server: str) -> None:
    held = psycopg.connect(own_server, autocommit=True, options=NOTICED)
    held.execute("select pg_advisory_lock(77)")
    with broken(own_server, RESET, 90), suppress(psycopg.OperationalError):
        wait_until(lambda: not held.execute("select 1"), 60)  # until it fails
    assert held.broken
    with psycopg.connect(own_server, autocommit=True) as other:
        wait_until(lambda: other.execute("select pg_try_advisory_lock(77)").fetchone()[0], 60)  # type: ignore[index]
