"""Whether a connection of Django's stands is asked of its socket, and of the server only where that has something to say."""

import psycopg
import pytest
from django.db import close_old_connections, connection

from haitang.base.postgresql import sessions
from haitang.base.postgresql.base import MOST
from haitang.base.settings import settings
from haitang.base.sql import rows
from haitang.hub.data.rules.models import RuleState
from tests.server.instances import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def pid() -> int:
    return int(rows("select pg_backend_pid()")[0][0])


def test_a_connection_that_the_server_ended_is_opened_anew_for_the_next_request() -> None:
    before = pid()
    with psycopg.connect(settings().database_url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(%s, 60000)", [before])
    close_old_connections()
    assert pid() != before


def test_a_process_ends_its_own_sessions_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PATIENCE", 60.0)  # which a busy machine may need to open and end a session
    with psycopg.connect(settings().database_url, autocommit=True) as other:
        own = pid()
        assert sessions.end(settings().database_url) >= 1
        wait_until(lambda: other.execute("select count(*) from pg_stat_activity where pid = %s", [own]).fetchone() == (0,))
    close_old_connections()
    assert pid() != own


def test_one_that_stands_is_used_without_a_question() -> None:
    before = pid()
    close_old_connections()
    assert connection.is_usable()
    with psycopg.connect(settings().database_url, autocommit=True) as other:
        asked = other.execute("select query from pg_stat_activity where pid = %s", [before]).fetchone()
    assert "pg_backend_pid" in str(asked)


def test_what_the_server_says_by_the_way_does_not_end_it() -> None:
    before = pid()
    with psycopg.connect(settings().database_url, autocommit=True) as other:
        with connection.cursor() as cursor:
            cursor.execute("listen by_the_way")
        other.execute("notify by_the_way")
    close_old_connections()
    assert pid() == before


def test_more_values_are_written_than_one_statement_takes() -> None:
    many = MOST // 7 + 1  # rows of seven values, one of them bytes: Django has no array of those
    RuleState.objects.bulk_create(
        RuleState(rule="r", thing=str(n), fingerprint="", state={"n": n}, buffer=b"b", release="") for n in range(many)
    )
    assert RuleState.objects.filter(thing=str(many - 1), state={"n": many - 1}).count() == 1
    assert RuleState.objects.count() == many
