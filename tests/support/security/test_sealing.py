"""Seals follow commit order, chain on, and miss nothing."""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from haitang.base.actions import acting, action, system
from haitang.base.settings import settings, use
from haitang.support.security.cryptography.suites import ED25519
from haitang.support.security.evidence.actions import record_block
from haitang.support.security.evidence.merkle import root
from haitang.support.security.evidence.models import EvidenceRecord, Seal
from haitang.support.security.evidence.sealing import LOCK, as_json, seal_all, seal_once, unsealed
from haitang.support.security.evidence.seals import NOTHING_BEFORE, chain
from tests.server.instances import wait_until
from tests.support.security.test_sealing_machine import connected

pytestmark = pytest.mark.django_db(transaction=True)


@action("evidence.test_seal", title="测试")
def note(*, act: Any, subject: str) -> None:
    act.record("test", subject)


def write(*subjects: str) -> None:
    for subject in subjects:
        with acting(system("operator")) as act:
            note(act=act, subject=subject)


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path) -> Iterator[None]:
    before = settings()
    use(type(before)(**{**before.__dict__, "data": tmp_path}))
    yield
    use(before)


def test_seals_chain_and_are_signed(tmp_path: Path) -> None:
    write("a", "b", "c")
    first = seal_once()
    write("d")
    second = seal_once()
    assert first is not None
    assert second is not None
    assert (first.number, first.previous, second.previous) == (1, NOTHING_BEFORE, first.chain)
    assert first.count == 4  # the three, and the entry of the new key
    digests = list(first.records.order_by("leaf_index").values_list("digest", flat=True))
    assert first.root == root([bytes.fromhex(digest) for digest in digests]).hex()
    assert chain(as_json(second), ED25519).hex() == second.chain
    assert ED25519.verify(bytes.fromhex(second.key.public), bytes.fromhex(second.chain), bytes.fromhex(second.signature))
    assert seal_once() is None
    assert [file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()] == [0o600]


def test_a_slow_transaction_is_never_skipped() -> None:
    """It takes its id first and commits last: by ids alone it would be passed over."""
    seal_all()
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with acting(system("operator")) as act:
            note(act=act, subject="slow")
            assert act.later
            act.later.write()  # as a transaction that is caught between its last statement and its commit
            written.set()
            finish.wait(100)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(60)
    write("quick")
    assert EvidenceRecord.objects.filter(subject_id="quick").exists()
    before = seal_all()
    finish.set()
    thread.join()
    seal_all()
    slow_record, quick_record = (EvidenceRecord.objects.get(subject_id=name) for name in ("slow", "quick"))
    assert slow_record.id < quick_record.id
    assert before == 0
    assert None not in (slow_record.seal_id, quick_record.seal_id)


def test_whoever_wants_everything_sealed_waits_for_a_sealer_at_work() -> None:
    """A killed one is at work for as long as the database has not noticed."""
    write("a")
    with connected() as other, ThreadPoolExecutor() as pool:
        other.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        assert seal_once() is None
        everything = pool.submit(lambda: (seal_all(), connection.close())[0])
        wait_until(lambda: other.execute("select 1 from pg_locks where locktype = 'advisory' and not granted").fetchone(), 60)
        other.rollback()
        assert everything.result(60) > 0
    assert unsealed() == 0


def test_many_writers_and_a_sealer_at_once_lose_nothing() -> None:
    stop = threading.Event()

    def writer(name: str) -> None:
        for n in range(25):
            write(f"{name}{n}")
        connection.close()

    def sealer() -> None:
        while not stop.is_set():
            seal_once(at_most=7)
        connection.close()

    writers = [threading.Thread(target=writer, args=(name,)) for name in "abcd"]
    sealers = [threading.Thread(target=sealer) for _ in range(2)]
    seal_once()
    for thread in writers + sealers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    seal_all()
    assert unsealed() == 0
    assert sum(Seal.objects.values_list("count", flat=True)) == EvidenceRecord.objects.count() == 101
    seals = list(Seal.objects.order_by("number"))
    assert [seal.number for seal in seals] == list(range(1, len(seals) + 1))
    assert all(after.previous == before.chain for before, after in itertools.pairwise(seals))


def test_a_sealed_record_stays_as_it_is() -> None:
    write("a")
    seal_all()
    for statement in (
        "update evidence_evidencerecord set leaf_index = 5",
        "update evidence_seal set root = repeat('0', 64)",
        "delete from evidence_seal",
        "delete from evidence_signingkey",
    ):
        with pytest.raises((DatabaseError, psycopg.Error), match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_block_enters_once() -> None:
    from haitang.base import clock

    block: dict[str, Any] = {
        "block": "b1", "table": "observations", "rows": 2, "root": b"\1" * 32, "first": 1, "last": 2, "written_at": clock.now(), "release": "r",
    }  # fmt: skip
    refs = []
    for _ in range(2):
        with acting(system("writer")) as act:
            refs.append(record_block(act=act, **block))
    assert refs[0] == refs[1]
    assert EvidenceRecord.objects.filter(subject_kind="block").count() == 1
