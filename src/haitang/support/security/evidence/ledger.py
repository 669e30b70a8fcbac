"""Serves the port `evidence`: appends a record in the caller's transaction."""

import os
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from psycopg.types.json import Jsonb

from haitang.base.actions import Act
from haitang.base.errors import error
from haitang.base.ids import new_id
from haitang.base.sql import insert
from haitang.support.security.cryptography.suites import in_use
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.facts import plain
from haitang.support.security.evidence.merkle import leaf_hash
from haitang.support.security.evidence.models import EvidenceRecord

_COLUMNS = ("ref", "at", "actor", "action", "subject_kind", "subject_id", "release", "facts", "salt", "digest", "suite")

BAD_FACTS = error("evidence.bad_facts", 500, "操作“{action}”要留下的证据无法写成规范形式：{reason}。请报告平台维护人员。")


def body(record: EvidenceRecord) -> dict[str, Any]:
    """What is hashed of a record; the same members stand in exports."""
    return {
        "ref": str(record.ref),
        "at": record.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": record.actor,
        "action": record.action,
        "subject_kind": record.subject_kind,
        "subject_id": record.subject_id,
        "release": record.release,
        "facts": record.facts,
    }


class Ledger:
    """The evidence ledger of this instance."""

    def append(self, *, act: Act, action: str, subject_kind: str, subject_id: str, facts: Mapping[str, Any]) -> str:
        salt = os.urandom(16)
        record = EvidenceRecord(
            ref=new_id(),
            at=act.at,
            actor=act.actor.ref,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            release=act.release,
            salt=salt,
            suite=in_use().name,
        )
        try:
            record.facts = plain(facts, salt, in_use())
            record.digest = leaf_hash(canonical(body(record)), hash=in_use().hash).hex()
        except ValueError as reason:
            raise BAD_FACTS(action=action, reason=str(reason)) from None
        act.write_last(_write, record)
        return str(record.ref)


def _write(records: list[EvidenceRecord]) -> None:
    insert(
        EvidenceRecord._meta.db_table,
        _COLUMNS,
        ([Jsonb(record.facts) if name == "facts" else getattr(record, name) for name in _COLUMNS] for record in records),
    )
