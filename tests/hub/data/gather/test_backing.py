"""A backup takes along the files of runs that have not ended, and an instance that was restored elsewhere goes on with them."""

from pathlib import Path
from threading import Event

import pytest
from django.db import connection as snapshot

from haitang.hub.data.gather import incoming, parts, process
from haitang.hub.data.gather.backing import hold
from haitang.hub.data.gather.models import Run
from tests.hub.data.gather.conftest import Bench
from tests.hub.data.gather.test_run import GOOD


def held(folder: Path) -> set[str]:
    assert hold(snapshot.connection, parts.top(), folder)
    return {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}


def test_files_of_open_runs_are_held_and_stay_though_the_run_ends(bench: Bench, tmp_path: Path) -> None:
    bench.start(GOOD)
    assert held(tmp_path / "queued") == {"incoming"}
    process.once(Event())
    assert "parts" in held(tmp_path / "staged")
    bench.work()
    assert held(tmp_path / "done") == set()
    assert list((tmp_path / "staged" / "parts").rglob("*.parquet"))


def test_a_file_that_slipped_away_asks_for_another_snapshot(bench: Bench, tmp_path: Path) -> None:
    run = bench.start(GOOD)
    incoming.where(run).unlink()
    assert not hold(snapshot.connection, parts.top(), tmp_path / "held")


@pytest.mark.parametrize("before", ["/srv/of-before/gather/incoming/", ""])
def test_a_run_goes_on_in_a_directory_that_was_restored(bench: Bench, before: str) -> None:
    run = bench.start(GOOD)
    Run.objects.update(path=before + incoming.where(run).name)
    bench.work()
    run.refresh_from_db()
    assert (run.state, run.inserted) == ("done", 2)
