"""Pages hear of a write when it commits, in less than a NOTIFY's limit."""

import json

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction

from haitang.base import ports
from haitang.support.infrastructure.stream.live import CHANNEL, LIMIT, message


def test_a_large_payload_keeps_only_ids() -> None:
    told = json.loads(message("twin", {"id": "a", "case_id": "b", "text": "文" * 9000}))
    assert told == {"topic": "twin", "payload": {"id": "a", "case_id": "b", "partial": True}}
    assert len(message("twin", {"ids": ["x" * 36] * 1000}).encode()) <= LIMIT


@pytest.mark.django_db(transaction=True)
def test_an_announcement_is_heard_only_after_commit() -> None:
    db = connection.get_connection_params()
    with psycopg.connect(
        host=db["host"],
        port=db["port"],
        user=db["user"],
        password=db["password"],
        dbname=settings.DATABASES["default"]["NAME"],
        autocommit=True,
    ) as ear:
        ear.execute(f"LISTEN {CHANNEL}")
        with transaction.atomic():
            ports.live().announce("case", {"id": "undone"})
            transaction.set_rollback(True)
        with transaction.atomic():
            ports.live().announce("case", {"id": "1"})
        heard = [json.loads(n.payload) for n in ear.notifies(timeout=60, stop_after=1)]
    assert heard == [{"topic": "case", "payload": {"id": "1"}}]
