"""A receipt fits a QR code, verifies offline with one key, and no changed byte passes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.security.cryptography.suites import SUITES
from haitang.support.security.evidence import compact
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.keyring import key_json, keys, mark_compromised, rotate_key, signing_key
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.merkle import leaf_hash
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.evidence.receipts import check_text, qr_svg, receipt_text
from haitang.support.security.evidence.sealing import seal_all
from tests.support.security.ledger_world import instance, write

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECTS = [str(n) for n in range(11)]


@pytest.fixture(autouse=True, params=["ed25519-sha256", "sm2-sm3"])
def _instance(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    with instance(tmp_path, suite=request.param):
        write(*SUBJECTS)
        seal_all()
        yield


def text_of(subject: str) -> str:
    return receipt_text(EvidenceRecord.objects.get(subject_id=subject).ref)


def test_every_records_receipt_holds_with_the_published_key_alone() -> None:
    pinned = bytes.fromhex(signing_key()[0].public)
    for record in EvidenceRecord.objects.all():
        found = compact.read(receipt_text(record.ref))
        compact.holds(found, [], pinned)
        suite = SUITES[found.seal["suite"]]
        assert found.leaf == leaf_hash(canonical(body(record)), hash=suite.hash).hex()


def test_a_receipt_under_a_later_key_holds_with_the_root_key() -> None:
    root = bytes.fromhex(signing_key()[0].public)
    with acting(system("operator")) as act:
        rotate_key(act=act)
    write("later")
    seal_all()
    found = compact.read(text_of("later"))
    compact.holds(found, [key_json(key) for key in keys()], root)
    with pytest.raises(compact.ReceiptFault, match="unknown_key"):
        compact.holds(found, [], root)


def test_no_changed_letter_passes() -> None:
    text, pinned = text_of("3"), bytes.fromhex(signing_key()[0].public)
    start = text.index(compact.MARK) + len(compact.MARK)

    @given(st.integers(start, len(text) - 1), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
    @settings(max_examples=40, deadline=None)
    def changed(at: int, letter: str) -> None:
        other = text[:at] + letter + text[at + 1 :]
        if other != text:
            with pytest.raises(compact.ReceiptFault):
                compact.holds(compact.read(other), [], pinned)

    changed()


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def read_anything(text: str) -> None:
    with pytest.raises(compact.ReceiptFault):
        compact.read(text)


def test_no_text_breaks_the_reader() -> None:
    read_anything()


def test_it_fits_a_code_that_a_phone_reads() -> None:
    text = text_of("0")
    code = segno.make(text, error="l", boost_error=False, micro=False)
    assert (code.mode, int(code.version) <= 20) == ("alphanumeric", True)
    assert qr_svg(text).startswith("<svg")


def test_the_largest_seal_still_fits_one_code() -> None:
    found = compact.read(text_of("0"))
    seal = {**found.seal, "count": 50_000, "last": 2**40, "number": 2**30}
    text = compact.write(bytes(32), 49_999, [bytes([n] * 32) for n in range(16)], seal)
    assert int(segno.make(f"HTTPS://EVIDENCE.EXAMPLE.GOV.CN/R/{text}", error="l", micro=False).version) <= 28


def test_the_instance_says_whether_a_receipt_is_of_its_ledger(tmp_path: Path) -> None:
    text = text_of("1")
    assert (check_text(text)["fault"], check_text(text)["ledger"]) == (None, "same")
    assert check_text("/R/NONSENSE")["fault"] == "unreadable"
    root = signing_key()[0]
    with acting(system("operator")) as act:
        mark_compromised(act=act, key=root.id, since=root.created_at, reason="lost_disk")
    assert check_text(text)["fault"] == "key_compromised"


def test_what_is_not_sealed_has_no_receipt_yet() -> None:
    write("new")
    with pytest.raises(HaitangError, match="not_sealed"):
        text_of("new")
