"""A command follows a run of gathering, which goes on by itself, whatever happens in between."""

from contextlib import suppress
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from haitang.base import clock
from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from haitang.base.errors import HaitangError
from haitang.hub.data.gather import incoming
from haitang.hub.data.gather.models import Run
from haitang.server.gathering import start_file, wait


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


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["编号\n1\n", ""])
def test_a_resource_that_is_not_declared_is_told_and_leaves_no_file(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "folder", lambda: tmp_path / "incoming")
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with holding(Declarations("none", {})), pytest.raises(HaitangError) as told:
        start_file(tmp_path / "a.csv", "nothing")
    assert told.value.code == "base.not_declared"
    assert not list((tmp_path / "incoming").iterdir())
