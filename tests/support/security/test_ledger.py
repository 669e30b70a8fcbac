"""A write and its evidence are one transaction, and the ledger is append-only."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from haitang.base.actions import acting, action, system
from haitang.base.declarations import Declarations
from haitang.base.declarations.in_force import holding
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.facts import Secret, salted
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.merkle import leaf_hash
from haitang.support.security.evidence.models import EvidenceRecord
from haitang.support.security.people.models import Organization

pytestmark = pytest.mark.django_db


@action("evidence.test", title="测试")
def found(*, act: Any, id: str, facts: Any = None, silent: bool = False) -> None:
    Organization.objects.create(id=id, title="机构")
    if not silent:
        act.record("organization", id, facts)


def test_a_write_leaves_its_record() -> None:
    with acting(system("operator")) as act:
        found(act=act, id="ecology", facts={"name": Secret("王丽"), "count": 3, "share": 0.25})
    record = EvidenceRecord.objects.get()
    assert (record.actor, record.action, record.subject_id) == ("system:operator", "evidence.test", "ecology")
    assert record.facts == {"name": {"salted": salted(bytes(record.salt), "王丽")}, "count": 3, "share": 0.25}
    assert record.digest == leaf_hash(canonical(body(record))).hex()
    assert record.transaction > 0


def test_no_evidence_no_write() -> None:
    with pytest.raises(HaitangError, match="no_evidence"), acting(system("operator")) as act:
        found(act=act, id="ecology", silent=True)
    assert not Organization.objects.exists()


@transaction.atomic
def _both(act: Any) -> None:
    found(act=act, id="water")
    found(act=act, id="fire", silent=True)


def test_a_savepoint_that_is_rolled_back_takes_its_records_with_it() -> None:
    with acting(system("operator")) as act:
        found(act=act, id="ecology")
        with pytest.raises(HaitangError, match="no_evidence"):
            _both(act)
        found(act=act, id="police")
    assert sorted(Organization.objects.values_list("id", flat=True)) == ["ecology", "police"]
    assert list(EvidenceRecord.objects.order_by("id").values_list("subject_id", flat=True)) == ["ecology", "police"]


def test_all_records_of_a_transaction_are_written_by_one_statement(django_assert_num_queries: Any) -> None:
    nothing = holding(Declarations("", {}))  # a release of the database would be looked up
    with (
        nothing,
        django_assert_num_queries(5),
        acting(system("operator")) as act,
    ):  # two savepoint statements, two organizations, their records
        found(act=act, id="ecology")
        found(act=act, id="water")
    assert EvidenceRecord.objects.count() == 2


def test_no_permission_no_write() -> None:
    with pytest.raises(HaitangError, match="not_allowed"), acting(system("stranger")) as act:
        found(act=act, id="ecology")
    assert not Organization.objects.exists()
    assert not EvidenceRecord.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "update evidence_evidencerecord set actor = 'system:other'",
        "update evidence_evidencerecord set salt = ''",
        "update evidence_evidencerecord set leaf_index = 1",
        "delete from evidence_evidencerecord",
    ],
)
def test_the_database_refuses_to_change_a_record(statement: str) -> None:
    with acting(system("operator")) as act:
        found(act=act, id="ecology")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts | st.floats(-1e15, 1e15),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


class Facts(TestCase):  # type: ignore[misc]
    """Hypothesis needs a transaction for each example."""

    @given(st.dictionaries(texts, values, max_size=4))
    @settings(max_examples=60, deadline=None)
    def test_what_the_database_gives_back_has_the_recorded_digest(self, facts: dict[str, Any]) -> None:
        with acting(system("operator")) as act:
            found(act=act, id="ecology", facts=facts)
        record = EvidenceRecord.objects.get()
        assert record.digest == leaf_hash(canonical(body(record))).hex()
