"""Sealed archives on pages: an auditor sees what each holds, has one verified, looks into one and finds a person's accesses in them."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from haitang.base import clock
from haitang.operations.management.evidence import inside
from haitang.support.security.evidence.archive_checks import faults_of
from haitang.support.security.evidence.archives import archive_due, folder
from haitang.support.security.evidence.keyring import keys
from haitang.support.security.evidence.models import Archive, EvidenceRecord
from haitang.support.security.evidence.sealing import seal_all
from haitang.support.security.evidence.tasks import check as job
from tests.hub.business import world
from tests.operations.test_evidence_pages import access, signed_in
from tests.support.security.ledger_world import check, instance, write

pytestmark = pytest.mark.django_db(transaction=True)
ID = "11010519491231002X"


@pytest.fixture(autouse=True)
def _archived(tmp_path: Path) -> Iterator[None]:
    now = clock.now()
    with world.declared(), instance(tmp_path), clock.frozen(now):  # no day passes within a test
        with clock.frozen(now - timedelta(days=400)):
            write("old", "older")
            access("permits", subjects=[("resident_id", ID)])
            seal_all()
        write("new")
        seal_all()
        archive_due()
        yield


def test_an_auditor_has_an_archive_verified_and_sees_the_result() -> None:
    auditor, found = signed_in("auditor", "auditor"), Archive.objects.get()
    assert "还没有核验过" in auditor.get("/evidence/archives").content.decode()
    assert auditor.post("/evidence/archives/1/check")["Location"] == "/evidence/archives/1"
    assert "正在核验" in auditor.get("/evidence/archives/1").content.decode()
    auditor.post("/evidence/archives/1/check")
    assert EvidenceRecord.objects.filter(action="evidence.ask_archive_check").count() == 1
    job.func(first_seal=1)
    page = auditor.get("/evidence/archives/1").content.decode()
    assert "成立" in page
    assert found.digest in page


@pytest.mark.parametrize("which", ["file", "private_file"])
def test_a_damaged_file_does_not_hold_and_a_missing_one_is_said(which: str) -> None:
    found, auditor = Archive.objects.get(), signed_in("auditor", "auditor")
    file = folder() / getattr(found, which)
    file.write_bytes(file.read_bytes()[:-1] + b"\1")
    job.func(first_seal=1)
    assert "请从备份恢复" in auditor.get("/evidence/archives").content.decode() + auditor.get("/evidence/archives/1").content.decode()
    assert EvidenceRecord.objects.get(action="evidence.archive_checked").facts["faults"] == ["archive_damaged"]
    (folder() / found.file).unlink()
    assert "文件缺失" in auditor.get("/evidence/archives").content.decode()
    assert auditor.get("/evidence/archives/1").status_code == 200


def test_an_entry_that_was_changed_does_not_hold() -> None:
    found = Archive.objects.get()
    found.records += 1
    assert faults_of(found) == ["archive_signature", "records_missing"]


def test_an_archive_is_searched_by_what_its_records_say(monkeypatch: pytest.MonkeyPatch) -> None:
    auditor = signed_in("auditor", "auditor")
    page = auditor.get("/evidence/archives/1", {"subject": "older"}).content.decode()
    assert "/evidence/case/older" in page
    assert "/evidence/case/old<" not in page.replace('"', "<")
    assert "没有符合条件的记录" in auditor.get("/evidence/archives/1", {"subject": "new"}).content.decode()
    day = (clock.now() - timedelta(days=400)).astimezone(clock.CHINA).date()
    for name, at in (("since", day + timedelta(days=1)), ("until", day - timedelta(days=1))):
        assert "没有符合条件的记录" in auditor.get("/evidence/archives/1", {name: at.isoformat()}).content.decode()
    monkeypatch.setattr(inside, "MOST", 1)
    assert "请用筛选缩小范围" in auditor.get("/evidence/archives/1").content.decode()


def test_a_person_is_found_in_archives_and_the_search_is_on_record() -> None:
    auditor = signed_in("auditor", "auditor")
    asked = {"kind": "resident_id", "value": ID, "purpose": "complaint"}
    answer = auditor.post("/evidence/archives/search", asked)
    assert ID not in answer["Location"]
    assert "permits" in auditor.get(answer["Location"]).content.decode()
    facts = EvidenceRecord.objects.get(action="evidence.access").facts
    assert (facts["purpose"], facts["rows"], facts["fields"]) == ("complaint", 1, ["archived accesses"])
    other = auditor.post("/evidence/archives/search", {**asked, "value": "440524188001010014"})["Location"]
    assert "归档中没有查到" in auditor.get(other).content.decode()
    assert auditor.post("/evidence/archives/search", {**asked, "purpose": ""}).status_code == 422


def test_the_evidence_file_of_an_archive_leaves_on_record_and_verifies() -> None:
    auditor = signed_in("auditor", "auditor")
    content = gzip.decompress(b"".join(auditor.post("/evidence/archives/1/file")))
    assert check(content, keys()[0].public).findings == []
    assert EvidenceRecord.objects.get(action="evidence.export").facts["seals"] == [1, 1]
    assert signed_in("dispatcher", "dispatcher").get("/evidence/archives").status_code == 403
    assert signed_in("officer", "audit_administrator").get("/evidence/archives/7").status_code == 404
