"""kill -9 of both processes while a file is gathered, at every seam and between: every row once, every count right."""

import os
import random
import signal
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
ROWS, BAD, PATIENCE = 30_000, 300, 400.0
ANYWHERE = ""  # killed from outside, some time after it has got on
DEATHS = {
    "gather": ["part written", "rows held, not committed", "chunk committed", ANYWHERE, ANYWHERE, "parts forgotten, not finished"],
    "writer": ["block written, not committed", "in the lake, not noted", ANYWHERE, ANYWHERE],
}
CHANCE = random.Random(4)


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


class Mortal:
    """A process that dies as often as `deaths` says, is started again each time, and then lives."""

    def __init__(self, side: str, deaths: list[str], environment: dict[str, str]) -> None:
        self.side, self.deaths, self.environment = side, list(deaths), environment
        self.start()

    def start(self) -> None:
        self.mortal = bool(self.deaths)
        self.point = self.deaths.pop(0) if self.deaths else ""
        command = [sys.executable, "-m", "tests.hub.data.gather.worker", self.side, self.point]
        self.process = subprocess.Popen(command, cwd=TOP, env=self.environment)
        self.came_to: int | None = None

    def look(self, came_to: int) -> None:
        """Kill it, if it is to die anywhere and has got on; start it again, if it is dead."""
        self.came_to = came_to if self.came_to is None else self.came_to
        if self.mortal and self.point == ANYWHERE and came_to > self.came_to:
            time.sleep(CHANCE.uniform(0, 0.3))
            self.end()
        if self.process.poll() is not None:
            assert self.process.returncode == -signal.SIGKILL
            self.start()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.mark.long  # ten kills need the machine to themselves to fall where they should
@pytest.mark.timeout(600)
def test_every_row_is_there_once_however_often_both_sides_are_killed(environment: dict[str, str]) -> None:
    lines = [f"S{n:06},小店{n},{'x' if n % (ROWS // BAD) == 0 else n % 100},a,2020-01-01" for n in range(ROWS)]
    file = incoming.keep(BytesIO(("编号,名称,面积,类别,开业日期\n" + "\n".join(lines) + "\n").encode()), "商户.csv")
    with acting(OPERATOR) as act:
        run = actions.start(act=act, resource=in_force().get(Resource, "shop"), file=file)
    gather, writer = (Mortal(side, deaths, environment) for side, deaths in DEATHS.items())
    until = time.monotonic() + PATIENCE
    try:
        while not run.ended and time.monotonic() < until:
            time.sleep(0.05)
            run.refresh_from_db()
            gather.look(run.parts)
            writer.look(run.inserted)
    finally:
        gather.end()
        writer.end()
    assert not gather.mortal, f"never died at: {gather.point}"
    assert not writer.mortal, f"never died at: {writer.point}"
    assert_all_there(run)


def assert_all_there(run: Run) -> None:
    lake: Any = connection.writer()
    assert (run.state, run.error) == ("done", "")
    assert (run.read, run.accepted, run.quarantined, run.inserted) == (ROWS, ROWS - BAD, BAD, ROWS - BAD)
    assert lake.execute("select count(*), count(distinct no) from lake.resource_shop").fetchone() == (ROWS - BAD, ROWS - BAD)
    assert lake.execute("select sum(rows), count(*), count(distinct root) from lake.blocks").fetchone() == (
        ROWS - BAD,
        run.parts,
        run.parts,
    )
    assert run.held.count() == BAD == run.held.values("line").distinct().count()
    lake.close()
