"""What is forked from the zygote, at its edges; test_instance.py has its life in a whole instance."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from haitang.base.settings import load
from haitang.server.instance import CHECKOUT
from haitang.server.processes import ZYGOTE
from haitang.server.supervisor import zygote
from haitang.server.supervisor.zygote import Forked, Zygote

WAITS = """
import sys, time
from haitang.server.processes.zygote import _be_adopted
_be_adopted(time.monotonic() + {seconds}, {supervisor})
sys.exit(7)
"""

READS_AHEAD = """
import os
from haitang.base.settings import load, settings, use
from haitang.server.instance import CHECKOUT
use(load({{"data": {data!r}}}, checkout=CHECKOUT))
os.environ["DJANGO_SETTINGS_MODULE"] = "haitang.server.django_settings"
import django
django.setup()
from haitang.base.declarations import positions
from haitang.base.declarations.loader import load_folders, owners_of
from haitang.server.processes import zygote
zygote._read_ahead()
made = positions._composed.cache_info().misses
load_folders(owners_of(settings()), checked=False)
print(made, positions._composed.cache_info().misses - made)
"""


@pytest.mark.parametrize(("seconds", "supervisor"), [(0.2, -1), (-1, "__import__('os').getppid()")], ids=["not adopted", "too late"])
def test_one_that_the_supervisor_did_not_take_does_not_come_to_life(seconds: float, supervisor: object) -> None:
    tried = subprocess.run([sys.executable, "-c", WAITS.format(seconds=seconds, supervisor=supervisor)], timeout=60, check=False)
    assert tried.returncode == 1


def test_the_end_of_one_is_told_with_its_code() -> None:
    async def go() -> tuple[int | None, int]:
        command = [sys.executable, "-c", "import sys; sys.stdin.read(); raise SystemExit(3)"]
        theirs, ours = os.pipe()
        # nobody else waits for it, as for no adopted one
        forked = Forked(os.posix_spawn(sys.executable, command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 0)]))
        os.close(theirs)
        before = forked.returncode
        os.close(ours)  # which it waits for
        code = await forked.wait()
        forked.kill()  # it is gone already
        return before, code

    assert asyncio.run(go()) == (None, 3)


def test_without_a_zygote_a_fork_is_refused_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zygote, "READY_SECONDS", 0.2)
    settings = load({"data": tmp_path}, checkout=CHECKOUT)

    async def go() -> None:
        await Zygote(settings).fork(ZYGOTE, 1)

    with pytest.raises(OSError, match="is not there"):
        asyncio.run(go())


def test_what_it_read_ahead_is_composed_for_all_that_are_forked_from_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", READS_AHEAD.format(data=str(tmp_path))]
    told = subprocess.run(command, timeout=60, check=True, capture_output=True, text=True)
    made, anew = map(int, told.stdout.split())
    assert made > 20
    assert anew == 0
