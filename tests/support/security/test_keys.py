"""Keys follow each other: one pinned key opens the whole chain, a compromised one closes from its date on, and files at rest can be sealed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.cryptography.keys import kept
from haitang.support.security.evidence.keyring import keys, mark_compromised, rotate_key, signing_key
from haitang.support.security.evidence.lines import encode
from haitang.support.security.evidence.models import EvidenceRecord, Seal, SigningKey
from haitang.support.security.evidence.sealing import seal_all
from tests.support.security.ledger_world import check, codes, exported, instance, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path) -> Iterator[None]:
    with instance(tmp_path):
        write("a")
        seal_all()
        yield


def rotated(**given: object) -> SigningKey:
    with acting(system("operator")) as act:
        return rotate_key(act=act, **given)  # type: ignore[arg-type]


def test_the_root_key_verifies_what_later_keys_sealed() -> None:
    root = signing_key()[0]
    for subject in "bcd":
        rotated()
        write(subject)
        seal_all()
    report = check(exported(), root.public)
    assert (report.findings, report.trusted, len(report.keys)) == ([], True, 4)
    assert Seal.objects.values("key").distinct().count() == 4


def test_a_later_pinned_key_verifies_what_went_before() -> None:
    rotated()
    write("b")
    seal_all()
    assert check(exported(), signing_key()[0].public).findings == []


def test_a_new_key_is_published_before_it_signs() -> None:
    old = signing_key()[0]
    new = rotated(starts_at=clock.now() + timedelta(days=7))
    assert [key.id for key in keys()] == [old.id, new.id]
    assert signing_key()[0] == old
    with clock.frozen(clock.now() + timedelta(days=8)):
        assert signing_key()[0] == new


def test_a_key_that_nobody_endorsed_is_not_believed() -> None:
    root = signing_key()[0]
    rotated(without_old_key=True)
    write("b")
    seal_all()
    report = check(exported(), root.public)
    assert "signature" in codes(report)
    assert {finding.seal for finding in report.findings} == {None, 2}


def test_an_endorsement_that_was_tampered_with_is_found() -> None:
    root = signing_key()[0]
    rotated()
    seal_all()
    lines = [json.loads(line) for line in exported().splitlines()]
    new = next(line for line in lines if line["type"] == "key" and line["previous"])
    new["starts_at"] = "2020-01-01T00:00:00.000000+00:00"
    content = b"".join(encode({name: value for name, value in line.items() if name != "check"}) for line in lines)
    assert {"key_chain", "signature"} <= codes(check(content, root.public))


def test_a_compromised_key_holds_for_what_it_sealed_before() -> None:
    root = signing_key()[0]
    before = clock.now()
    with acting(system("operator")) as act:
        mark_compromised(act=act, key=root.id, since=before, reason="lost_disk")
    assert signing_key()[0] != root
    write("b")
    seal_all()
    assert check(exported(), signing_key()[0].public).findings == []
    assert EvidenceRecord.objects.filter(action="evidence.mark_compromised", subject_id=root.id).exists()


def test_a_seal_of_a_compromised_key_after_its_date_is_named() -> None:
    root, early = signing_key()[0], clock.now() - timedelta(hours=1)
    with acting(system("operator")) as act:
        mark_compromised(act=act, key=root.id, since=early, reason="lost_disk")
    found = {(finding.code, finding.seal) for finding in check(exported(), root.public).findings}
    assert found == {("key_compromised", 1)}


def test_a_key_cannot_start_in_the_past() -> None:
    with pytest.raises(HaitangError, match="starts_early"):
        rotated(starts_at=clock.now() - timedelta(days=1))


def test_a_lost_private_key_is_said_and_not_replaced_in_silence(tmp_path: Path) -> None:
    for file in (tmp_path / "keys").glob("evidence-*"):
        file.unlink()
    write("b")
    with pytest.raises(HaitangError, match="no_key_file"):
        seal_all()
    rotated(without_old_key=True)
    assert seal_all() > 0


def test_key_files_are_sealed_once_a_passphrase_is_set(tmp_path: Path) -> None:
    file = next((tmp_path / "keys").glob("evidence-*"))
    plain = file.read_bytes()
    with instance(tmp_path, key_passphrase="海棠 four words"):
        assert kept(file.name) == plain
        assert b"PRIVATE" not in file.read_bytes()
        assert file.stat().st_mode & 0o777 == 0o600
        rotated()
        write("b")
        assert seal_all() > 0
        assert all(b"PRIVATE" not in each.read_bytes() for each in (tmp_path / "keys").iterdir())
    with pytest.raises(HaitangError, match="no_passphrase"):
        kept(file.name)
    with instance(tmp_path, key_passphrase="another"), pytest.raises(HaitangError, match="wrong_passphrase"):
        kept(file.name)
