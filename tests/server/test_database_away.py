"""What the control plane answers while its database is away: when to come again, not that a program is wrong."""

from contextlib import suppress

import pytest
from django.db import OperationalError, connection
from django.test import Client


@pytest.mark.django_db(transaction=True)
def test_a_request_whose_connection_is_cut_is_asked_again() -> None:
    client = Client(raise_request_exception=False)
    with suppress(OperationalError), connection.cursor() as cursor:
        cursor.execute("select pg_terminate_backend(pg_backend_pid())")
    answer = client.post("/api/session", {"username": "nobody", "password": "nothing"}, content_type="application/json")
    assert (answer.status_code, answer["Retry-After"], answer["X-Haitang-Away"]) == (503, "3", "database")
    connection.close()
    assert client.post("/api/session", {"username": "nobody", "password": "nothing"}, content_type="application/json").status_code == 401
