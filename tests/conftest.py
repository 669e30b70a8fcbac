"""Fixtures that every test may use."""

from typing import Any

import pytest

LEDGER = tuple(
    f"evidence_{table}"
    for table in (
        "evidencerecord",
        "seal",
        "signingkey",
        "access",
        "keycompromise",
        "dayroot",
        "upstreamreceipt",
        "downstreamroot",
        "archive",
    )
)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Tests of real transactions empty all tables afterwards, which the ledger refuses by a trigger; it is off in test databases only."""
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in LEDGER:
            cursor.execute(f"alter table {table} disable trigger no_truncate")
