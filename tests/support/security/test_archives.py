"""Old evidence moves into files that prove it; nothing younger than six months can leave, and what left comes back as it was."""

import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.actions import answer_digest, record_access
from haitang.support.security.evidence.archives import archive_due, archive_of, folder, put_back, restore, restored, search_archives
from haitang.support.security.evidence.keyring import signing_key
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.models import Access, Archive, EvidenceRecord, Seal
from haitang.support.security.evidence.queries import accesses_to
from haitang.support.security.evidence.receipts import check_text, receipt_text
from haitang.support.security.evidence.sealing import seal_all
from haitang.support.security.evidence.subjects import index_of
from tests.support.security.ledger_world import check, exported, instance, write

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = timedelta(days=400)
WHO = [("name", "王丽")]


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path) -> Iterator[None]:
    with instance(tmp_path):
        with clock.frozen(clock.now() - LONG_AGO):
            write("old", "older")
            with acting(system("operator")) as act:
                record_access(
                    act=act,
                    resource="permits",
                    fields=["holder"],
                    rows=1,
                    answer=answer_digest(b""),
                    purpose="case:1",
                    way="page",
                    subjects=WHO,
                )
            seal_all()
            write("third")
            seal_all()
        write("new")
        seal_all()
        yield


def archived() -> Archive:
    archive_due()
    return Archive.objects.get()


def test_what_is_old_moves_and_what_is_new_stays() -> None:
    before = EvidenceRecord.objects.count()
    found = archived()
    assert (found.first_seal, found.last_seal, archive_due()) == (1, 2, 0)
    assert EvidenceRecord.objects.filter(seal_id__lte=2).count() == 0
    assert EvidenceRecord.objects.count() == before - found.records + 1  # the archive's own record
    assert (Seal.objects.count(), Access.objects.count()) == (3, 0)
    seal_all()
    assert check(exported(), signing_key()[0].public).findings == []


def test_two_that_archive_at_once_make_one_archive() -> None:
    def once() -> int:
        try:
            return archive_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        moved = sorted(found.result() for found in [pool.submit(once), pool.submit(once)])
    assert moved == [0, Archive.objects.get().records]


def test_an_archive_verifies_offline_with_the_root_key_alone() -> None:
    found = archived()
    content = gzip.decompress((folder() / found.file).read_bytes())
    report = check(content, signing_key()[0].public)
    assert (report.findings, report.complete, report.counts["record"]) == ([], True, found.records)
    assert "王丽".encode() not in content
    assert (folder() / found.private_file).stat().st_mode & 0o777 == 0o600


@pytest.mark.timeout(300)
def test_what_left_the_database_verifies_in_a_process_without_a_database(tmp_path: Path) -> None:
    public, found = signing_key()[0].public, archived()
    assert not EvidenceRecord.objects.filter(seal_id__lte=found.last_seal).exists()
    file = tmp_path / "elsewhere.jsonl"
    file.write_bytes(gzip.decompress((folder() / found.file).read_bytes()))
    assert offline("verify", str(file), "--key", public).returncode == 0
    content = file.read_bytes().replace(b'"older"', b'"oldar"')
    file.write_bytes(content)
    said = offline("verify", str(file), "--key", public)
    assert said.returncode == 1
    assert "发现" in said.stdout


def test_a_receipt_made_before_still_holds_when_its_record_is_archived() -> None:
    text = receipt_text(EvidenceRecord.objects.get(subject_id="old").ref)
    archived()
    said = check_text(text)
    assert (said["fault"], said["ledger"]) == (None, "archived")


def offline(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command as a stranger runs it: no instance, no settings, no database."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HAITANG_", "DJANGO_", "PG"))}
    return subprocess.run(
        [sys.executable, "-m", "haitang.server.cli", "evidence", *arguments],
        capture_output=True, text=True, timeout=120, env=environment, cwd="/",
    )  # fmt: skip


def test_what_was_archived_comes_back_as_it_was() -> None:
    before = {
        str(record.ref): (body(record), record.id, bytes(record.salt), record.digest)
        for record in EvidenceRecord.objects.filter(seal_id__lte=2)
    }
    found = archived()
    for _ in range(2):
        with acting(system("operator")) as act:
            restore(act=act, found=archive_of(1))
    after = {
        str(record.ref): (body(record), record.id, bytes(record.salt), record.digest)
        for record in EvidenceRecord.objects.filter(seal_id__lte=2)
    }
    assert after == before
    assert len(after) == found.records
    assert accesses_to(index_of(WHO)).exists()
    seal_all()
    assert check(exported(), signing_key()[0].public).findings == []


def test_an_export_after_one_of_two_archives_was_restored_has_no_gap() -> None:
    first = archived()
    with clock.frozen(clock.now() - LONG_AGO + timedelta(days=20)):
        write("between")
        seal_all()
    write("newest")
    seal_all()
    archive_due()
    with acting(system("operator")) as act:
        restore(act=act, found=first)
    assert [each.pk for each in restored()] == [first.pk]
    report = check(exported(), signing_key()[0].public)
    assert (report.findings, report.complete) == ([], True)
    with acting(system("operator")) as act:
        assert put_back(act=act, found=first) == first.records
    assert restored() == []


def test_restored_records_stay_where_the_archive_is_damaged() -> None:
    found = archived()
    with acting(system("operator")) as act:
        restore(act=act, found=found)
    (folder() / found.private_file).unlink()
    with pytest.raises(HaitangError, match="archive_damaged"), acting(system("operator")) as act:
        put_back(act=act, found=found)
    assert restored() == [found]


def test_a_person_is_found_in_archives() -> None:
    archived()
    assert [(found.subject_id, found.facts["purpose"]) for found in search_archives(index_of(WHO))] == [("permits", "case:1")]
    assert list(search_archives(index_of([("name", "李雷")]))) == []


@pytest.mark.parametrize("table", ["evidence_evidencerecord", "evidence_access"])
def test_nothing_is_deleted_before_it_is_archived(table: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"delete from {table}")


def test_nothing_younger_than_six_months_is_deleted_even_if_somebody_says_it_is_archived() -> None:
    found = archived()
    seal_all()
    with transaction.atomic(), connection.cursor() as cursor:
        columns = "records, begins, ends, file, digest, private_file, private_digest, archived_at, key_id, signature"
        cursor.execute(f"insert into evidence_archive (first_seal, last_seal, {columns}) select 3, 4, {columns} from evidence_archive")
    with pytest.raises(DatabaseError, match="six months"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("delete from evidence_evidencerecord where seal_id = 3")
    assert found.pk


def test_fewer_than_six_months_cannot_be_set(tmp_path: Path) -> None:
    with instance(tmp_path, evidence_months=5), pytest.raises(HaitangError, match="bad_setting"):
        archive_due()


def test_a_damaged_archive_is_said() -> None:
    found = archived()
    file = folder() / found.file
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    with pytest.raises(HaitangError, match="archive_damaged"), acting(system("operator")) as act:
        restore(act=act, found=found)
