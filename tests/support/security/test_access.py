"""An access to data leaves a record without personal data, found again by who knows the identifier."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from haitang.base.actions import acting, system
from haitang.base.settings import settings, use
from haitang.support.security.evidence.actions import answer_digest, record_access, record_denial, subjects_digest
from haitang.support.security.evidence.models import Access, EvidenceRecord
from haitang.support.security.evidence.queries import accesses_to
from haitang.support.security.evidence.subjects import index_of, normalized, searched

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path) -> Any:
    before = settings()
    use(type(before)(**{**before.__dict__, "data": tmp_path}))
    yield
    use(before)


def access(**given: Any) -> EvidenceRecord:
    told: dict[str, Any] = {
        "resource": "enterprise_permit", "fields": ["holder", "contact"], "rows": 1, "answer": answer_digest(b"[]"), "purpose": "case:1",
        "way": "GET /api/resources/{id}/rows", "on_behalf_of": "organization:ecology_bureau", "grant": "grant:7",
    }  # fmt: skip
    with acting(system("operator")) as act:
        ref = record_access(act=act, **{**told, **given})
    return EvidenceRecord.objects.get(ref=ref)


def test_the_record_says_who_why_and_what_but_not_whose() -> None:
    record = access(subjects=[("resident_id", "11010519491231002X"), ("mobile", "13800000000")])
    assert (record.actor, record.subject_kind, record.subject_id) == ("system:operator", "resource", "enterprise_permit")
    assert record.facts["fields"] == ["contact", "holder"]
    assert (record.facts["purpose"], record.facts["grant"], record.facts["rows"]) == ("case:1", "grant:7", 1)
    assert "11010519491231002X" not in str(record.facts)
    assert record.facts["subjects"] == {"count": 2, "digest": subjects_digest(Access.objects.get(ref=record.ref).subjects)}


def test_who_knows_the_identifier_finds_the_access() -> None:
    record = access(subjects=[("resident_id", "11010519491231002X")])
    access(subjects=[("resident_id", "440524188001010014")])
    found = accesses_to(index_of([("resident_id", "１１０１０５ 19491231 002x")]))
    assert [row.ref for row in found] == [record.ref]


def test_a_change_of_the_suite_hides_no_access() -> None:
    who = [("resident_id", "11010519491231002X")]
    before = access(subjects=who)
    use(replace(settings(), suite="sm2-sm3"))
    after = access(subjects=who)
    assert index_of(who) not in [list(Access.objects.get(ref=before.ref).subjects)]
    found = accesses_to(searched(who)).values_list("ref", flat=True)
    assert set(found) == {before.ref, after.ref}


def test_another_instance_has_other_entries(tmp_path: Path) -> None:
    here = index_of([("name", "王丽")])
    (tmp_path / "keys" / "blind-index-1.key").unlink()
    assert index_of([("name", "王丽")]) != here


def test_a_hundred_thousand_people_are_one_row() -> None:
    record = access(rows=100_000, subjects=(("person", str(n)) for n in range(100_000)))
    assert record.facts["subjects"]["count"] == 100_000
    assert accesses_to(index_of([("person", "77777")])).exists()


def test_entries_cannot_be_changed_or_deleted() -> None:
    access(subjects=[("name", "王丽")])
    for statement in ("update evidence_access set subjects = '{}'", "delete from evidence_access"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_refusal_is_recorded_for_whoever_was_refused() -> None:
    with acting(system("stranger")) as act:
        ref = record_denial(act=act, denied="case.read", code="no_role", way="GET /cases/{id}", subject_kind="case", subject_id="1")
    record = EvidenceRecord.objects.get(ref=ref)
    assert (record.action, record.subject_kind, record.facts["permission"]) == ("evidence.denied", "case", "case.read")


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("resident_id", "130503670401001", "130503196704010016"),
        ("mobile", "+86 138-0000-0000", "13800000000"),
        ("name", "买买提·阿不都", "买买提 • 阿不都"),
        ("licence_plate", "渝a 12345", "渝A12345"),
        ("unheard_of", "x", "X"),
    ],
)
def test_spellings_meet(kind: str, one: str, other: str) -> None:
    assert normalized(kind, one) == normalized(kind, other)


@given(st.sampled_from(["resident_id", "name", "mobile", "other"]), st.text(max_size=20))
@examples(max_examples=500, deadline=None)
def test_normalizing_twice_changes_nothing_more(kind: str, value: str) -> None:
    once = normalized(kind, value)
    assert normalized(*once) == once
