"""A command follows a run of gathering, which goes on by itself, whatever happens in between."""

from contextlib import suppress

import pytest
from django.db import OperationalError, connection

from haitang.base import clock
from haitang.hub.data.gather.models import Run
from haitang.server.gathering import wait


@pytest.mark.django_db(transaction=True)
def test_a_run_is_followed_though_the_database_cuts_the_connection() -> None:
    run = Run.objects.create(resource="shop", state="running", created_at=clock.now(), created_by="system:test")
    seen: list[str] = []

    def tell() -> None:
        seen.append(run.state)
        if len(seen) == 1:
            with suppress(OperationalError), connection.cursor() as cursor:
                cursor.execute("select pg_terminate_backend(pg_backend_pid())")
        elif len(seen) == 2:
            Run.objects.update(state="done")

    wait(run, tell, 0.01)
    assert (seen, run.state) == (["running", "running", "done"], "done")
