"""kill -9 of both processes while a file is gathered, at every seam and anywhere: every row once, every count right."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from haitang.base import settings as base
from haitang.base.actions import acting
from haitang.base.declarations import in_force, put_in_force
from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.gather import actions, incoming
from haitang.hub.data.gather.models import Run
from haitang.hub.data.lake import connection
from haitang.server.discovery import load_kinds
from tests.hub.data.gather.conftest import OPERATOR, everything

TOP = Path(__file__).parents[4]
ROWS, BAD, PATIENCE = 3_000, 30, 400.0
DIES = "SIGKILL"
LIVES = "exit 0"
SEAMS = [
    ("gather", ""),  # waits: the writer has not made the lake yet
    ("writer", ""),
    ("gather", "part written"),
    ("gather", "rows held, not committed"),
    ("gather", "chunk committed"),
    ("gather", ""),
    ("writer", "block written, not committed"),
    ("writer", "in the lake, not noted"),
    ("writer", ""),
    ("gather", "parts forgotten, not finished"),
    ("gather", ""),
]  # fmt: skip


@pytest.fixture
def environment(transactional_db: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Settings of this process and the environment of children, on the committed test database."""
    given, before = database.settings_dict, base.settings()
    url = f"postgresql://{given['USER']}:{given['PASSWORD']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    base.use(replace(before, data=tmp_path, lake="", database_url=url))
    load_kinds()
    put_in_force(everything())
    yield {
        **os.environ,
        "HAITANG_DATABASE_URL": url,
        "HAITANG_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "haitang.server.django_settings",
    }
    connection.forget()
    with database.cursor() as cursor:
        cursor.execute("drop schema if exists lake cascade")
    base.use(before)


class Nursery:
    """Children that work until they die at a point or have nothing left to do."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.hub.data.gather.worker", "nursery"]
        self.process = subprocess.Popen(command, cwd=TOP, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def child(self, side: str, point: str) -> str:
        """How the child ended."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{side}: {point}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def nursery(environment: dict[str, str]) -> Iterator[Nursery]:
    made = Nursery(environment)
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.timeout(300)
def test_killed_at_every_seam_it_goes_on_without_a_row_lost_or_twice(nursery: Nursery) -> None:
    run = start(ROWS)
    for side, point in SEAMS:
        assert (point, nursery.child(side, point)) == (point, DIES if point else LIVES)
        run.refresh_from_db()
        assert run.read == run.accepted + run.quarantined == sum(run.staged.values_list("rows", flat=True)) + run.held.count()
    assert_all_there(run, ROWS)


@pytest.mark.long  # kills fall where chance puts them: how many fall before the end depends on the machine
@pytest.mark.timeout(600)
def test_killed_anywhere_it_goes_on_without_a_row_lost_or_twice(environment: dict[str, str]) -> None:
    run, chance, until = start(10 * ROWS), random.Random(4), time.monotonic() + PATIENCE
    sides = {side: _worker(side, environment) for side in ("gather", "writer")}
    killed = 0
    try:
        while not run.ended and time.monotonic() < until:
            time.sleep(chance.uniform(0.1, 0.6))
            run.refresh_from_db()
            side = chance.choice(list(sides))
            if killed < 12 and run.read:
                sides[side].kill()
                sides[side].wait()
                sides[side], killed = _worker(side, environment), killed + 1
    finally:
        for process in sides.values():
            process.kill()
            process.wait()
    assert killed
    assert_all_there(run, 10 * ROWS)


def _worker(side: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.hub.data.gather.worker", side], cwd=TOP, env=environment)


def start(rows: int) -> Run:
    lines = [f"S{n:06},小店{n},{'x' if n % (ROWS // BAD) == 0 else n % 100},a,2020-01-01" for n in range(rows)]
    file = incoming.keep(BytesIO(("编号,名称,面积,类别,开业日期\n" + "\n".join(lines) + "\n").encode()), "商户.csv")
    with acting(OPERATOR) as act:
        return actions.start(act=act, resource=in_force().get(Resource, "shop"), file=file)


def assert_all_there(run: Run, rows: int) -> None:
    lake: Any = connection.writer()
    bad = rows * BAD // ROWS
    good = rows - bad
    assert (run.state, run.error) == ("done", "")
    assert (run.read, run.accepted, run.quarantined, run.inserted) == (rows, good, bad, good)
    assert lake.execute("select count(*), count(distinct no) from lake.resource_shop").fetchone() == (good, good)
    assert lake.execute("select sum(rows), count(*), count(distinct root) from lake.blocks").fetchone() == (good, run.parts, run.parts)
    assert run.held.count() == bad == run.held.values("line").distinct().count()
    lake.close()
