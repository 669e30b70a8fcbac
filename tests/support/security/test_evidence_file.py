"""An evidence file verifies offline; whatever is changed in it is found, and found where it stands."""

import io
import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from haitang.base import clock
from haitang.base.actions import acting, action, system
from haitang.base.settings import settings, use
from haitang.support.security.cryptography.suites import ED25519
from haitang.support.security.evidence.actions import record_block
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.export import Row, Scope, export, receipt
from haitang.support.security.evidence.keyring import signing_key
from haitang.support.security.evidence.lines import encode, marks_of
from haitang.support.security.evidence.merkle import Tree, leaf_hash
from haitang.support.security.evidence.models import EvidenceRecord, SigningKey
from haitang.support.security.evidence.sealing import seal_all
from haitang.support.security.evidence.verify import Report, verify

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = [f'["500111","air-1","pm2_5",{n}]' for n in range(5)]


@action("evidence.test_file", title="测试")
def note(*, act: Any, subject: str) -> None:
    act.record("case", subject, {"move": "派遣", "minutes": 12.5})


def written() -> None:
    tree = Tree([leaf_hash(row.encode()) for row in ROWS])
    for subject in "aba":
        with acting(system("operator")) as act:
            note(act=act, subject=subject)
        if subject == "b":
            seal_all()
    with acting(system("writer")) as act:
        block = {"rows": 5, "first": 1, "last": 5, "written_at": clock.now(), "release": "r"}
        record_block(act=act, block="9", table="observations", root=tree.root, **block)
        record_block(act=act, block="10", table="resource_shop", root=wide().root, arity=4, **block)
    seal_all()


def wide() -> Tree:
    return Tree([leaf_hash(row.encode()) for row in ROWS], arity=4)


def row(n: int) -> Row:
    tree = Tree([leaf_hash(text.encode()) for text in ROWS])
    return Row("9", n, ROWS[n], [step.hex() for step in tree.inclusion_proof(n)])


@pytest.fixture(autouse=True)
def _instance(tmp_path: Path) -> Iterator[None]:
    before = settings()
    use(replace(before, data=tmp_path))
    written()
    yield
    use(before)


def exported(scope: Scope | None = None, rows: tuple[Row, ...] = ()) -> bytes:
    out = io.BytesIO()
    export(out, scope or Scope(), rows)
    return out.getvalue()


def check(content: bytes, public: bytes | None = None) -> Report:
    return verify(io.BytesIO(content), public)


def test_what_is_sealed_while_a_file_is_written_is_left_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def sealing_meanwhile() -> Any:
        with acting(system("operator")) as act:
            note(act=act, subject="late")
        assert seal_all() == 1
        return signing_key()

    monkeypatch.setattr("haitang.support.security.evidence.export.signing_key", sealing_meanwhile)
    during = check(exported())
    monkeypatch.undo()
    after = check(exported())
    assert (during.ok, after.ok) == (True, True)
    assert after.counts["record"] == during.counts["record"] + 1


def test_what_is_exported_verifies() -> None:
    key = bytes.fromhex(SigningKey.objects.get().public)
    report = check(exported(rows=(row(1), row(4))), key)
    assert report.findings == []
    assert (report.trusted, report.complete) == (True, True)
    assert (report.counts["record"], report.counts["seal"], report.counts["row"]) == (6, 2, 2)


def test_a_foreign_key_does_not_verify() -> None:
    stranger = ED25519.public(ED25519.generate())
    assert {finding.code for finding in check(exported(), stranger).findings} == {"signature"}


def test_a_case_and_a_receipt_verify_alone() -> None:
    case = check(exported(Scope(subjects=("case:a",)), (row(2),)))
    assert (case.ok, case.counts["record"], case.counts["row"]) == (True, 3, 1)
    out = io.BytesIO()
    receipt(out, str(EvidenceRecord.objects.get(subject_id="b").ref))
    alone = check(out.getvalue())
    assert (alone.ok, alone.counts["record"], alone.complete) == (True, 1, False)


def test_a_row_of_a_block_with_a_wider_tree_is_shown_alone() -> None:
    shown = [Row("10", n, ROWS[n], [step.hex() for step in wide().inclusion_proof(n)]) for n in (1, 4)]
    assert check(exported(Scope(subjects=("case:a",)), tuple(shown))).ok
    other = Row("10", 1, ROWS[2], shown[0].proof)
    assert {finding.code for finding in check(exported(Scope(subjects=("case:a",)), (other,))).findings} == {"not_in_block"}


def test_every_single_changed_byte_is_found_and_located() -> None:
    whole = exported(rows=(row(3),))
    starts = [0, *itertools.accumulate(len(line) + 1 for line in whole.split(b"\n")[:-1])]

    @given(st.integers(0, len(whole) - 1), st.integers(1, 255))
    @run(max_examples=250, deadline=None)
    def flipped(place: int, flip: int) -> None:
        changed = bytearray(whole)
        changed[place] ^= flip
        report = check(bytes(changed))
        line = next(n for n, start in enumerate(starts, 1) if place < starts[n])
        assert not report.ok
        assert min(finding.line for finding in report.findings) == line

    flipped()


def test_a_changed_member_is_named() -> None:
    whole = exported()
    ref = str(EvidenceRecord.objects.get(subject_id="b").ref)
    lines = whole.split(b"\n")
    at = next(n for n, line in enumerate(lines) if b'"subject_id":"b"' in line)
    lines[at] = lines[at].replace("派遣".encode(), "结案".encode())
    first = check(b"\n".join(lines)).findings[0]
    assert (first.line, first.code, first.record, first.field, first.seal) == (at + 1, "changed", ref, "facts", 1)


def forged(change: Callable[[dict[str, Any]], bool]) -> Report:
    """A forger who can do everything but sign: changed lines get new checks and marks, and are dropped where `change` says so."""
    kept = []
    for raw in exported().splitlines():
        line = json.loads(raw)
        if change(line):
            line.pop("check")
            if "body" in line:
                line["marks"] = marks_of(line["body"])
            kept.append(encode(line))
    return check(b"".join(kept))


def test_a_careful_forgery_of_a_record_is_found_in_its_seal() -> None:
    def change(line: dict[str, Any]) -> bool:
        if line["type"] == "record" and line["body"]["subject_id"] == "b":
            line["body"]["actor"] = "staff:someone-else"
        return True

    codes = {(finding.code, finding.seal) for finding in forged(change).findings}
    assert ("not_in_seal", 1) in codes


def test_a_record_left_out_is_missed() -> None:
    report = forged(lambda line: not (line["type"] == "record" and line["body"]["subject_id"] == "b"))
    assert ("record_missing", 1) in {(finding.code, finding.seal) for finding in report.findings}


def test_a_seal_made_anew_does_not_carry_the_signature() -> None:
    def change(line: dict[str, Any]) -> bool:
        if line["type"] == "seal" and line["number"] == 2:
            line["sealed_at"] = "2020-01-01T00:00:00.000000+00:00"
        return True

    codes = {(finding.code, finding.seal) for finding in forged(change).findings}
    assert {("seal_changed", 2), ("signature", 2)} <= codes


def test_a_cut_file_is_found() -> None:
    whole = exported()
    assert not check(whole[: len(whole) // 2]).ok
    assert not check(b"").ok
    assert not check(whole + b"{}\n").ok


@given(st.binary(max_size=200))
@run(max_examples=200, deadline=None)
def check_anything(content: bytes) -> None:
    assert not check(content).ok


def test_no_input_breaks_the_verifier() -> None:
    check_anything()
    for line in (b"[]", b'{"type":"record"}', b'{"type":"seal","number":"x"}', canonical({"type": "manifest", "complete": True})):
        assert not check(line + b"\n").ok


def test_the_verifier_needs_neither_django_nor_a_database() -> None:
    code = "import sys, haitang.support.security.evidence.verify; sys.exit('django' in sys.modules or 'psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PATH": "/usr/bin"}, check=False).returncode == 0
