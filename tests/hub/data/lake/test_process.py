"""The writer's process over a real stream: what was acknowledged to a listener is in the lake once, however often the writer is killed."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from haitang.base.settings import Settings
from haitang.hub.data.lake import connection, offsets, queries
from haitang.hub.data.lake.session import LOCK
from haitang.support.infrastructure.stream import client
from tests.hub.data.fresh import DAY, MINUTE, START, aside, batch, fresh_settings, reading
from tests.hub.data.lake.test_writer import roots_hold
from tests.server.instances import wait_until
from tests.support.infrastructure.nats_server import NatsServer

ROOT = Path(__file__).parents[4]
RUN = """
import asyncio, signal, sys
import django
django.setup()
from haitang.support.infrastructure.stream import client
client.ACK_WAIT = 3.0
from haitang.hub.data.lake.process import run
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run(stop)
asyncio.run(main())
"""

# The same, but a segmentation fault comes somewhere in the hourly round, which is due at once.
DYING = RUN.replace(
    "async def main",
    """
import os, random, threading
from haitang.hub.data.lake import compact, session
session.TIDY_EVERY, tidy = 0.5, compact.tidy
def dies(lake):
    threading.Timer(random.random() * 0.15, lambda: os.kill(os.getpid(), signal.SIGSEGV)).start()
    while True:
        tidy(lake)
compact.tidy = dies
async def main""",
)


class Instance:
    """A stream, a migrated database, an empty lake, and a writer that can be killed."""

    def __init__(self, settings: Settings, nats: NatsServer, folder: Path) -> None:
        self.settings, self.nats, self.folder = settings, nats, folder
        self.environment = {
            **os.environ,
            "HAITANG_DATABASE_URL": settings.database_url,
            "HAITANG_DATA": str(settings.data),
            "HAITANG_NATS_URL": nats.url,
            "DJANGO_SETTINGS_MODULE": "haitang.server.django_settings",
        }
        self.writer: subprocess.Popen[bytes] | None = None

    def migrate(self) -> None:
        manage = [sys.executable, str(ROOT / "tools" / "manage.py"), "migrate", "--skip-checks", "-v", "0"]
        subprocess.run(manage, env=self.environment, check=True, timeout=180, cwd=ROOT, stdout=subprocess.DEVNULL)

    def start(self, program: str = RUN) -> None:
        log = (self.folder / "writer.log").open("ab")
        self.writer = subprocess.Popen([sys.executable, "-c", program], env=self.environment, cwd=ROOT, stdout=log, stderr=log)

    def restarted(self) -> bool:
        """As the supervisor does it: a writer that has ended is started again, whenever that is seen."""
        assert self.writer is not None
        if self.writer.poll() is not None:
            self.start()
        return True

    def end(self, how: signal.Signals) -> int:
        assert self.writer is not None
        self.writer.send_signal(how)
        return self.writer.wait(60)

    def count(self) -> int:
        with psycopg.connect(self.settings.database_url) as database:
            if not database.execute("select to_regclass('lake.ducklake_metadata')").fetchone()[0]:  # type: ignore[index]
                return 0
        try:
            return int(queries.dicts("select count(*) as n from lake.observations")[0]["n"])
        except Exception:  # the writer is making the tables
            return 0

    def settled(self, messages: int) -> bool:
        """Whether this writer, not one killed a moment ago, is at the lake, every message is in it and twin and ledger have seen every block."""
        assert self.writer is not None
        with psycopg.connect(self.settings.database_url) as database:
            running = database.execute(
                "select 1 from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and granted and application_name like %s",
                [f"haitang {self.writer.pid} %"],
            ).fetchone()
            twin = database.execute("select block from twin_position").fetchone() or (0,)
            ledger = database.execute(
                "select count(distinct subject_id) from evidence_evidencerecord where subject_kind = 'block'"
            ).fetchone() or (0,)
        done = queries.dicts("select count(*) as n from lake.set_aside")[0]["n"] == messages
        return bool(running) and done and twin[0] == ledger[0] == queries.counts()["last_block"]

    def wait_for(self, done: Callable[[], bool], seconds: float = 150) -> None:
        until = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < until, (self.folder / "writer.log").read_text()[-3000:]
            time.sleep(0.1)


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    monkeypatch.setattr(client, "ACK_WAIT", 3.0)  # what a killed writer had fetched comes again after this
    nats = NatsServer(tmp_path)
    nats.start()
    with fresh_settings(tmp_path / "data") as settings:
        made = Instance(settings, nats, tmp_path)
        made.migrate()
        yield made
        if made.writer and made.writer.poll() is None:
            made.end(signal.SIGKILL)
    nats.stop()


def batches(seed: int, count: int) -> list[Any]:
    """Batches of a few hundred readings over two days, with late rows, repeated rows and content set aside."""
    dice, made, old = random.Random(seed), [], []
    for number in range(count):
        rows = [
            reading(
                dice.random(),
                at=START + dice.randrange(2) * DAY + number * MINUTE + i,
                thing=f"s{i}",
                length=0,
                source_ref=f"{seed}-{number}-{i}",
            )
            for i in range(200)
        ]
        made.append(batch(*rows, *old[:5], aside=(aside(f"#{seed}-{number}"),)))
        old = rows
    return made


def publish(instance: Instance, sent: list[Any]) -> None:
    async def run() -> None:
        stream = await client.connect(instance.nats.url)
        await stream.ensure()
        for message in sent:
            await stream.publish(message)
        await stream.close()

    asyncio.run(run())


def kill_rounds(instance: Instance, rounds: int) -> None:
    total = 0
    for round in range(rounds):
        before = instance.count()
        instance.start()
        sent = batches(round, 30)
        total += 30 * 200
        publish(instance, sent)
        instance.wait_for(lambda before=before: instance.count() > before)  # type: ignore[misc]
        time.sleep(random.Random(round).random() * 0.4)
        instance.end(signal.SIGKILL)
    instance.start()
    instance.wait_for(lambda: instance.count() >= total and instance.settled(rounds * 30))
    assert instance.end(signal.SIGTERM) == 0
    check(instance, total, rounds * 30)


@pytest.mark.timeout(600)
def test_a_segmentation_fault_in_the_round_that_flushes_and_tidies_costs_nothing(instance: Instance) -> None:
    """DuckDB's flush of inlined rows has been seen to crash its process."""
    for round in range(3):
        instance.start(DYING)
        publish(instance, batches(round, 20))
        assert instance.writer
        assert instance.writer.wait(150) == -signal.SIGSEGV
    instance.start()
    instance.wait_for(lambda: instance.count() >= 12_000 and instance.settled(60))
    assert instance.end(signal.SIGTERM) == 0
    check(instance, 12_000, 60)


@pytest.mark.timeout(600)
def test_a_database_that_drops_all_connections_costs_nothing(instance: Instance) -> None:
    """The outcome of a commit whose connection breaks is unknown: the writer opens anew (or ends and is started again) and looks."""
    instance.start()
    for round in range(3):
        publish(instance, batches(round, 20))
        instance.wait_for(lambda round=round: instance.restarted() and instance.count() > round * 4000)  # type: ignore[misc]
        with psycopg.connect(instance.settings.database_url, autocommit=True) as database:
            database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )
    instance.wait_for(lambda: instance.restarted() and instance.count() >= 12_000 and instance.settled(60))
    assert instance.end(signal.SIGTERM) == 0
    check(instance, 12_000, 60)


def check(instance: Instance, total: int, messages: int) -> None:
    """Every row once, every block whole, every message known, the twin at the newest readings."""
    lake = connection.writer()
    try:
        assert lake.execute("select count(*), count(distinct source_ref) from lake.observations").fetchone() == (total, total)
        assert lake.execute("select count(*), count(distinct raw) from lake.set_aside").fetchone() == (messages, messages)
        (name,) = lake.execute("select distinct name from lake.offsets where name like 'writer:%'").fetchone()
        assert offsets.load(lake, name).ranges == [(1, messages)]
        assert roots_hold(lake) >= 2
        newest = dict(lake.execute("select thing, max(period_end) from lake.observations group by thing").fetchall())
    finally:
        lake.close()
    with psycopg.connect(instance.settings.database_url) as database:
        assert dict(database.execute("select thing, period_end from twin_reading").fetchall()) == newest
        wait_until(lambda: database.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone() == (True,))


@pytest.mark.timeout(600)
def test_kill_9_mid_load_loses_and_doubles_nothing(instance: Instance) -> None:
    kill_rounds(instance, 5)


@pytest.mark.long
@pytest.mark.timeout(2400)
def test_kill_9_many_times(instance: Instance) -> None:
    kill_rounds(instance, 25)
