"""Sealing: a signed Merkle root over what has been recorded since the last seal.

Only records of transactions older than every running one are taken. An id is given out when a record is written, not when it is committed, so "id greater than the last"
would skip the record of a slow transaction for ever; a transaction number below the oldest running one can gain no more records.

A seal leaves no evidence record of its own: it is evidence, and would otherwise need sealing in turn.
"""

from datetime import UTC
from typing import Any

from django.db import connection, transaction

from haitang.base import clock
from haitang.base.actions import acting, action, system
from haitang.support.security.cryptography.keys import private_key
from haitang.support.security.cryptography.suites import in_use
from haitang.support.security.evidence.merkle import root
from haitang.support.security.evidence.models import EvidenceRecord, Seal, SigningKey
from haitang.support.security.evidence.seals import NOTHING_BEFORE, chain

LOCK = 0x4861695365616C  # "HaiSeal": one sealer at a time on this database
AT_MOST = 50_000

_TAKE = """
select id, digest from evidence_evidencerecord
where seal_id is null and transaction < pg_snapshot_xmin(pg_current_snapshot())
order by id limit %s
"""
_MARK = """
update evidence_evidencerecord as record set seal_id = %s, leaf_index = taken.place - 1
from unnest(%s::bigint[]) with ordinality as taken (id, place) where record.id = taken.id
"""


@action("evidence.add_key", title="启用签名密钥")
def add_key(*, act: Any, id: str, suite_name: str, public: str) -> SigningKey:
    """Enter a public key into the ledger."""
    act.record("signing_key", id, {"suite": suite_name, "public": public})
    return SigningKey.objects.create(id=id, suite=suite_name, public=public, created_at=act.at)


def signing_key() -> tuple[SigningKey, bytes]:
    """The key in use and its private half; a new one is entered into the ledger."""
    private = private_key("evidence", in_use())
    public = in_use().public(private)
    found = SigningKey.objects.filter(pk=in_use().key_id(public)).first()
    if found is None:
        with acting(system("sealer")) as act:
            found = add_key(act=act, id=in_use().key_id(public), suite_name=in_use().name, public=public.hex())
    return found, private


def seal_once(at_most: int = AT_MOST) -> Seal | None:
    """Seal what can be sealed; None when there is nothing, or when another sealer is at work."""
    key, private = signing_key()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(_TAKE, [at_most])
        taken = cursor.fetchall()
        if not taken:
            return None
        seal = _sign([digest for _, digest in taken], [id for id, _ in taken], key, private)
        seal.save(force_insert=True)
        cursor.execute(_MARK, [seal.number, [id for id, _ in taken]])
        return seal


def seal_all() -> int:
    """Seal until nothing that can be sealed is left; returns the number of records sealed."""
    sealed = 0
    while seal := seal_once():
        sealed += seal.count
    return sealed


def unsealed() -> int:
    return EvidenceRecord.objects.filter(seal__isnull=True).count()


def _sign(digests: list[str], ids: list[int], key: SigningKey, private: bytes) -> Seal:
    used = in_use()
    last = Seal.objects.order_by("-number").first()
    seal = Seal(
        number=last.number + 1 if last else 1,
        first=min(ids),
        last=max(ids),
        count=len(ids),
        root=root([bytes.fromhex(digest) for digest in digests], hash=used.hash).hex(),
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
