"""SM2 with SM3 beside Ed25519 with SHA-256: the standards' examples, openssl as a second opinion, and a ledger that changed over."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.base.actions import acting, system
from haitang.support.security.cryptography import sm2
from haitang.support.security.cryptography.suites import SM2, SUITES
from haitang.support.security.evidence.facts import Secret
from haitang.support.security.evidence.keyring import rotate_key, signing_key
from haitang.support.security.evidence.models import EvidenceRecord, Seal
from haitang.support.security.evidence.sealing import seal_all
from tests.support.security.ledger_world import check, exported, instance, note, write

# GB/T 32918.5-2017 appendix A: key pair, message and signature of the standard; GB/T 32905-2016 appendix A for SM3
SECRET = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
KEY = bytes.fromhex(
    "0409F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNATURE = bytes.fromhex(
    "F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA"
)


@pytest.mark.parametrize("hash", [sm2.sm3, sm2._by_cryptography])
def test_sm3_gives_the_standards_digests(hash: object) -> None:
    assert hash(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # type: ignore[operator]
    assert hash(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"  # type: ignore[operator]


def test_the_standards_signature_verifies() -> None:
    assert SM2.verify(KEY, b"message digest", SIGNATURE)
    assert not SM2.verify(KEY, b"message digesT", SIGNATURE)
    assert SM2.verify(KEY, b"anything", SM2.sign(sm2.pem_of(SECRET, KEY), b"anything"))


@given(st.sampled_from(sorted(SUITES)), st.binary(max_size=80), st.binary(max_size=80))
@settings(max_examples=60, deadline=None)
def test_no_bytes_break_a_verification(suite: str, key: bytes, signature: bytes) -> None:
    assert SUITES[suite].verify(key, b"x", signature) is False


def _der(signature: bytes) -> bytes:
    """r || s as DER: SEQUENCE of two INTEGERs."""
    halves = b"".join(_integer(half) for half in (signature[:32], signature[32:]))
    return bytes([0x30, len(halves)]) + halves


def _integer(half: bytes) -> bytes:
    value = half.lstrip(b"\0") or b"\0"
    value = b"\0" + value if value[0] & 0x80 else value
    return bytes([2, len(value)]) + value


def _raw(der: bytes) -> bytes:
    r = der[4 : 4 + der[3]]
    s = der[6 + der[3] :]
    return b"".join(part[-32:].rjust(32, b"\0") for part in (r, s))


def _openssl(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)


@pytest.fixture
def knows_sm2() -> None:
    if not shutil.which("openssl") or b"SM2" not in _openssl("list", "-public-key-algorithms").stdout:
        pytest.skip("no openssl with SM2 on this machine")


@pytest.mark.usefixtures("knows_sm2")
def test_openssl_and_we_accept_each_others_signatures(tmp_path: Path) -> None:
    private, message = tmp_path / "key.pem", tmp_path / "message"
    private.write_bytes(pem := SM2.generate())
    message.write_bytes("证据 evidence".encode())
    (tmp_path / "ours").write_bytes(_der(SM2.sign(pem, message.read_bytes())))
    own = ("-inkey", private, "-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{sm2.UID.decode()}", "-in", message)
    assert b"Verified Successfully" in _openssl("pkeyutl", "-verify", *own, "-sigfile", tmp_path / "ours").stdout
    assert _openssl("pkeyutl", "-sign", *own, "-out", tmp_path / "theirs").returncode == 0
    assert SM2.verify(SM2.public(pem), message.read_bytes(), _raw((tmp_path / "theirs").read_bytes()))


@pytest.mark.usefixtures("knows_sm2")
def test_openssl_reads_our_keys_and_we_read_its_own(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    assert _openssl("genpkey", "-algorithm", "SM2", "-out", file).returncode == 0
    public = _openssl("pkey", "-in", file, "-pubout", "-outform", "DER").stdout[-65:]
    assert SM2.public(file.read_bytes()) == public
    assert base64.b64decode(b"".join(SM2.generate().splitlines()[1:-1]))[-65] == 4


@pytest.mark.django_db(transaction=True)
def test_a_ledger_under_sm2_verifies(tmp_path: Path) -> None:
    with instance(tmp_path, suite="sm2-sm3"):
        with acting(system("operator")) as act:
            note(act=act, subject="a", facts={"name": Secret("王丽")})
        seal_all()
        report = check(exported(), signing_key()[0].public)
    assert (report.findings, report.suites) == ([], ["sm2-sm3"])
    record = EvidenceRecord.objects.get(subject_id="a")
    assert list(record.facts["name"]) == ["salted_sm3"]
    assert record.digest == hashlib.new("sm3", b"\0" + _body(exported_in(tmp_path), record)).hexdigest()


def exported_in(data: Path) -> bytes:
    with instance(data, suite="sm2-sm3"):
        return exported()


def _body(content: bytes, record: EvidenceRecord) -> bytes:
    """The record's canonical body, cut out of the file's own bytes."""
    line = next(line for line in content.splitlines() if f'"ref":"{record.ref}"'.encode() in line)
    return line[len(b'{"body":') : line.index(b',"check":')]


@pytest.mark.django_db(transaction=True)
def test_a_ledger_that_changed_over_verifies_with_its_first_key(tmp_path: Path) -> None:
    with instance(tmp_path):
        write("a")
        seal_all()
        root = signing_key()[0].public
    with instance(tmp_path, suite="sm2-sm3"):
        write("b")  # hashed by SM3, sealed by the key that is still Ed25519
        seal_all()
        with instance(tmp_path):
            write("c")  # hashed by SHA-256, sealed after the change
        with acting(system("operator")) as act:
            rotate_key(act=act)
        seal_all()
        content = exported()
    report = check(content, root)
    assert (report.findings, report.suites) == ([], ["ed25519-sha256", "sm2-sm3"])
    assert [seal.suite for seal in Seal.objects.order_by("number")] == ["ed25519-sha256", "ed25519-sha256", "sm2-sm3"]
    changed = content.replace(b'"subject_id":"c"', b'"subject_id":"d"')
    assert "not_in_seal" in {finding.code for finding in check(changed, root).findings}
    assert json.loads(content.splitlines()[0])["keys"] == 2
