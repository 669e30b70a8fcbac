"""Real processes: writers that roll back, a transaction that stays open, two sealers by mistake, and sealers killed in the middle."""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from haitang.support.security.evidence.models import EvidenceRecord, Seal
from haitang.support.security.evidence.sealing import seal_all, unsealed
from tests.support.security.ledger_world import check, exported, instance, write
from tests.support.security.test_sealing_machine import connected

pytestmark = pytest.mark.django_db(transaction=True)
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path) -> Iterator[None]:
    with instance(tmp_path):
        write("first")
        seal_all()
        yield


@pytest.fixture
def party(tmp_path: Path) -> Iterator[Any]:
    """Starts a process of `sealing_party` on this test's database; whatever still runs is killed at the end."""
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    started: list[subprocess.Popen[str]] = []

    def start(what: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.support.security.sealing_party", what, str(tmp_path)]
        environment = {**os.environ, "HAITANG_DATABASE_URL": url}
        started.append(subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.timeout(400)
def test_many_processes_at_once_lose_nothing_and_double_nothing(party: Any) -> None:
    sealers = [party("sealer") for _ in range(2)]
    assert [process.stdout.readline().strip() for process in sealers] == ["ready"] * 2
    long = connected()
    long.execute("select pg_current_xact_id()")  # a transaction with a number holds up what begins after it, for as long as it stays
    writers = [party("writer") for _ in range(2)]
    assert [process.wait(300) for process in writers] == [0, 0]
    assert unsealed() > 0
    long.commit()
    long.close()
    seal_all()
    for process in sealers:
        process.kill()
        process.wait(60)
    seal_all()
    seals = list(Seal.objects.order_by("number"))
    assert [seal.number for seal in seals] == list(range(1, len(seals) + 1))
    assert all(after.previous == before.chain for before, after in itertools.pairwise(seals))
    report = check(exported())
    assert (report.findings, report.unsealed, report.counts["record"]) == ([], 0, EvidenceRecord.objects.count())


@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", ["dies-before-saving", "dies-before-commit"])
def test_a_sealer_killed_in_the_middle_leaves_no_trace(party: Any, moment: str) -> None:
    write("a", "b")
    killed = party(moment)
    assert killed.wait(200) == -9
    assert (Seal.objects.count(), unsealed()) == (1, 2)
    seal_all()
    report = check(exported())
    assert (report.findings, report.unsealed, Seal.objects.count()) == ([], 0, 2)
