"""Sealing: a signed Merkle root over what has been recorded since the last seal.

Only records of transactions older than every running one are taken. An id is given out when a record is written, not when it is committed, so "id greater than the last"
would skip the record of a slow transaction for ever; a transaction number below the oldest running one can gain no more records.

A seal leaves no evidence record of its own: it is evidence, and would otherwise need sealing in turn.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.db import connection, transaction

from haitang.base import clock
from haitang.support.security.cryptography.suites import Suite
from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.keyring import signing_key, suite_of
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.merkle import leaf_hash, root
from haitang.support.security.evidence.models import EvidenceRecord, Seal, SigningKey
from haitang.support.security.evidence.seals import NOTHING_BEFORE, chain

LOCK = 0x4861695365616C  # "HaiSeal": one sealer at a time on this database
AT_MOST = 50_000

_TAKE = """
select id, digest, suite from evidence_evidencerecord
where seal_id is null and transaction < pg_snapshot_xmin(pg_current_snapshot())
order by id limit %s
"""
_MARK = """
update evidence_evidencerecord as record set seal_id = %s, leaf_index = taken.place - 1
from unnest(%s::bigint[]) with ordinality as taken (id, place) where record.id = taken.id
"""


def seal_once(at_most: int = AT_MOST, *, patient: bool = False) -> Seal | None:
    """Seal what can be sealed; None when there is nothing. While another sealer is at work: None too, or wait for its end if `patient`."""
    key, private = signing_key()
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor, patient):
            return None
        cursor.execute(_TAKE, [at_most])
        taken = cursor.fetchall()
        if not taken:
            return None
        ids = [id for id, _, _ in taken]
        seal = _sign(leaves(taken, suite_of(key)), ids, key, private)
        seal.save(force_insert=True)
        cursor.execute(_MARK, [seal.number, ids])
        return seal


def _alone(cursor: Any, patient: bool) -> bool:
    """Whether this transaction is the one sealer; its lock ends with it, a killed one's once the database has noticed."""
    if patient:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        return True
    cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
    return bool(cursor.fetchone()[0])


def leaves(taken: Sequence[tuple[int, str, str]], suite: Suite) -> list[bytes]:
    """The leaf hashes by `suite` of (id, digest, suite) in order; a record written before the suite was changed is hashed anew from its body."""
    other = [id for id, _, used in taken if used != suite.name]
    anew = (
        {record.id: leaf_hash(canonical(body(record)), hash=suite.hash) for record in EvidenceRecord.objects.filter(id__in=other)}
        if other
        else {}
    )
    return [anew[id] if used != suite.name else bytes.fromhex(digest) for id, digest, used in taken]


def leaves_of(number: int, suite: Suite) -> list[bytes]:
    """The leaf hashes of a seal, in order."""
    found = EvidenceRecord.objects.filter(seal_id=number).order_by("leaf_index").values_list("id", "digest", "suite")
    return leaves(list(found), suite)


def seal_all() -> int:
    """Seal until nothing that can be sealed is left, after another sealer if one is at work; returns the number of records sealed here."""
    sealed = 0
    while seal := seal_once(patient=True):
        sealed += seal.count
    return sealed


def unsealed() -> int:
    return EvidenceRecord.objects.filter(seal__isnull=True).count()


def _sign(hashes: list[bytes], ids: list[int], key: SigningKey, private: bytes) -> Seal:
    used = suite_of(key)
    last = Seal.objects.order_by("-number").first()
    seal = Seal(
        number=last.number + 1 if last else 1,
        first=min(ids),
        last=max(ids),
        count=len(ids),
        root=root(hashes, hash=used.hash).hex(),
        previous=last.chain if last else NOTHING_BEFORE,
        sealed_at=clock.now(),
        suite=used.name,
        key=key,
    )
    digest = chain(as_json(seal), used)
    seal.chain, seal.signature = digest.hex(), used.sign(private, digest).hex()
    return seal


def as_json(seal: Seal) -> dict[str, Any]:
    """A seal as it stands in exports and answers."""
    return {
        "number": seal.number,
        "first": seal.first,
        "last": seal.last,
        "count": seal.count,
        "root": seal.root,
        "previous": seal.previous,
        "chain": seal.chain,
        "sealed_at": seal.sealed_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "suite": seal.suite,
        "key": seal.key_id,
        "signature": seal.signature,
    }
