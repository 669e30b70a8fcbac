"""The lock of the lake's one writer is free again soon after its holder was cut off without a word to the server."""

import threading
import time
from contextlib import suppress

import psycopg
import pytest
from bench.network import RESET, cut, may_cut

from haitang.base.settings import settings
from haitang.hub.data.lake.session import NOTICED


@pytest.mark.django_db
@pytest.mark.skipif(not may_cut(), reason="the packet filter can be set by root only, where there is iptables")
def test_a_session_that_is_gone_behind_a_broken_network_gives_its_lock_back() -> None:
    url = settings().database_url
    held = psycopg.connect(url, autocommit=True, options=NOTICED)
    held.execute("select pg_advisory_lock(77)")
    cutting = threading.Thread(target=cut, args=(url, RESET, 1.5))
    cutting.start()
    until = time.monotonic() + 1.5
    with suppress(psycopg.OperationalError):
        while time.monotonic() < until:
            held.execute("select 1")
            time.sleep(0.05)
    cutting.join()
    assert held.broken
    with psycopg.connect(url, autocommit=True) as other:
        until = time.monotonic() + 20
        while not other.execute("select pg_try_advisory_lock(77)").fetchone()[0]:  # type: ignore[index]
            assert time.monotonic() < until
            time.sleep(0.2)
