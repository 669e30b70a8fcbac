"""What is left over below DATA/gather goes once nothing needs it, and nothing that is needed goes."""

import os
import time
from io import BytesIO
from pathlib import Path
from threading import Event

from haitang.base.ids import new_id
from haitang.hub.data.gather import incoming, parts, process
from haitang.hub.data.gather.models import Run
from haitang.hub.data.gather.sweeping import sweep
from tests.hub.data.gather.conftest import Bench
from tests.hub.data.gather.test_run import GOOD

TWO_DAYS = 2 * 86_400


def older(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (time.time() - TWO_DAYS,) * 2)


def test_the_file_of_a_run_that_crashed_before_removing_it_goes_a_day_later(bench: Bench) -> None:
    run = bench.gather(GOOD)  # the test's transaction is never committed: as if the process had died between commit and unlink
    left = Path(run.path)
    assert left.is_file()
    assert sweep() == 0
    older(left)
    assert sweep() == 1
    assert not left.exists()


def test_a_file_that_was_previewed_and_forgotten_and_one_that_broke_off_go_too(bench: Bench) -> None:
    kept = incoming.keep(BytesIO(b"a,b\n1,2\n"), "预览.csv")
    half = incoming.folder() / "tmpabc123"
    half.write_bytes(b"a,b")
    older(kept.path, half)
    incoming.kept(kept.path.name, kept.name)  # its person comes back: it waits another day
    assert (sweep(), kept.path.exists(), half.exists()) == (1, True, False)
    older(kept.path)
    assert (sweep(), kept.path.exists()) == (1, False)


def test_what_a_run_still_needs_stays_however_old(bench: Bench) -> None:
    run = bench.start(GOOD)
    process.once(Event())
    folder = parts.folder(run.pk)
    older(Path(run.path), folder)
    Run.objects.filter(pk=run.pk).update(state="cancelled")  # its parts are not in the lake yet
    other = bench.start(GOOD)  # reads the same file
    assert sweep() == 0
    Run.objects.filter(pk=other.pk).update(state="cancelled")
    older(Path(run.path))
    run.staged.update(landed=True)
    assert (sweep(), folder.exists(), Path(run.path).exists()) == (2, False, False)


def test_parts_of_no_run_go(bench: Bench) -> None:
    stray = parts.folder(new_id())
    stray.mkdir(parents=True)
    older(stray)
    assert (sweep(), stray.exists()) == (1, False)
