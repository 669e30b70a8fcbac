"""Append, commit, roll back and seal in any order: what is committed is sealed once, in commit order, and nothing else is."""

import os
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from haitang.base import clock
from haitang.base.ids import new_id
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.merkle import leaf_hash
from haitang.support.security.evidence.models import EvidenceRecord, Seal
from haitang.support.security.evidence.sealing import seal_all, seal_once
from tests.support.security.ledger_world import check, exported, instance

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = st.integers(0, 3)
INSERT = """insert into evidence_evidencerecord (ref, at, actor, action, subject_kind, subject_id, release, facts, salt, digest)
values (%s, %s, %s, %s, %s, %s, '', '{}', %s, %s)"""


def connected() -> "psycopg.Connection[Any]":
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"], port=database["PORT"], user=database["USER"], password=database["PASSWORD"], dbname=database["NAME"]
    )


class Ledger(RuleBasedStateMachine):
    """Four writers with transactions of their own beside one sealer."""

    @initialize()
    def begin(self) -> None:
        self.writers = [connected() for _ in range(4)]
        self.open: dict[int, list[str]] = {}
        self.committed: set[str] = set()
        self.undone: set[str] = set()
        seal_all()

    @rule(who=WRITERS)
    def append(self, who: int) -> None:
        record = EvidenceRecord(
            ref=new_id(),
            at=clock.now(),
            actor="system:operator",
            action="evidence.test",
            subject_kind="case",
            subject_id=str(who),
            facts={},
        )
        digest = leaf_hash(canonical(body(record))).hex()
        told = (record.ref, record.at, record.actor, record.action, record.subject_kind, record.subject_id, os.urandom(16), digest)
        self.writers[who].execute(INSERT, told)
        self.open.setdefault(who, []).append(str(record.ref))

    @rule(who=WRITERS)
    def commit(self, who: int) -> None:
        self.writers[who].commit()
        self.committed.update(self.open.pop(who, []))

    @rule(who=WRITERS)
    def roll_back(self, who: int) -> None:
        self.writers[who].rollback()
        self.undone.update(self.open.pop(who, []))

    @rule(at_most=st.integers(1, 5))
    def seal(self, at_most: int) -> None:
        seal_once(at_most)

    @precondition(lambda self: not self.open)
    @rule()
    def seal_everything(self) -> None:
        seal_all()
        assert self._sealed() == self.committed

    @invariant()
    def only_what_is_committed_is_sealed(self) -> None:
        assert self._sealed() <= self.committed

    def _sealed(self) -> set[str]:
        mine = self.committed | self.undone | {ref for refs in self.open.values() for ref in refs}
        return {str(ref) for ref in EvidenceRecord.objects.filter(ref__in=mine, seal__isnull=False).values_list("ref", flat=True)}

    def teardown(self) -> None:
        for who, writer in enumerate(self.writers):
            writer.commit()
            writer.close()
            self.committed.update(self.open.pop(who, []))
        seal_all()
        assert self._sealed() == self.committed
        assert not EvidenceRecord.objects.filter(ref__in=self.undone).exists()


def test_whatever_the_order_what_is_committed_is_sealed_once(tmp_path: Path) -> None:
    with instance(tmp_path):
        run_state_machine_as_test(Ledger, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
        report = check(exported())
    assert (report.findings, report.unsealed) == ([], 0)
    assert sum(Seal.objects.values_list("count", flat=True)) == EvidenceRecord.objects.count()
