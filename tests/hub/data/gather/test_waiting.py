"""The process that gathers is woken by what is put into its queue, not by the clock."""

import time

import pytest
from django.db import connection, transaction

from haitang.hub.data.gather.waiting import CHANNEL, wait, wake

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_waits_is_woken_when_the_other_side_commits() -> None:
    wait(0)  # listens from now on
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("select pg_notify(%s, '')", [CHANNEL])
    finally:
        other.close()
    began = time.monotonic()
    wait(100)
    assert time.monotonic() - began < 60


def test_nobody_is_woken_by_what_is_rolled_back() -> None:
    wait(0)
    with transaction.atomic():
        wake()
        transaction.set_rollback(True)
    began = time.monotonic()
    wait(0.3)
    assert time.monotonic() - began >= 0.3
