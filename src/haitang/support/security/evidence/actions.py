"""Writes of the ledger that are not themselves someone's action elsewhere: blocks of the data lake, accesses to data, refusals.

An access and a refusal ask no permission of their own: what was read was allowed (or refused) where it was asked for, and being recorded is nobody's privilege.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from haitang.base import ports
from haitang.base.actions import Act, action, permission
from haitang.support.security.cryptography import blind
from haitang.support.security.evidence.merkle import sha256
from haitang.support.security.evidence.models import Access, EvidenceRecord
from haitang.support.security.evidence.subjects import index_of, searched

BLOCK = "block"
RESOURCE = "resource"
ACCESS = permission("evidence.access", "访问数据")
DENIED = permission("evidence.denied", "被拒绝")


def record_access(
    *,
    act: Act,
    resource: str,
    fields: Sequence[str],
    rows: int,
    answer: str,
    purpose: str,
    way: str,
    on_behalf_of: str | None = None,
    grant: str | None = None,
    subjects: Iterable[tuple[str, str]] = (),
    by_every_suite: bool = False,
) -> str:
    """Record that `act.actor` was given data, inside `acting`; returns the record's ref.

    Call it for what uses a grant, exports, or touches fields above general level; not for a public tile that refreshes. `answer` is the hex SHA-256 of the bytes that were
    given (`answer_digest`), `purpose` a declared purpose or a reference (`case:<id>`, `order:<id>`), `way` the page, API or command without values
    (`GET /api/resources/{id}/rows`), `on_behalf_of` whom the actor acts for (`organization:<id>`, `person:<id>`), `grant` what allowed it (`grant:<id>`). No personal data in any of these.

    `subjects` says whose data it was, as (kind, identifier) with a kind of `subjects.KINDS`, such as `("resident_id", "…")`, in any spelling: it is kept as blind entries only, and an
    auditor who knows the identifier finds the access. 100,000 of them are one row of 0.8 MB. `by_every_suite`: with the entries of every suite, for the record of a search, which later pages read them from.
    """
    of_whom = list(subjects)
    own = index_of(of_whom)
    found = searched(of_whom) if by_every_suite else own
    facts = {
        "fields": sorted(set(fields)), "rows": rows, "answer": answer, "purpose": purpose, "way": way,
        "on_behalf_of": on_behalf_of, "grant": grant, "subjects": {"count": len(own), "digest": subjects_digest(found)},
    }  # fmt: skip
    ref = _append(act, ACCESS, RESOURCE, resource, facts)
    if found:
        Access(ref=UUID(ref), subjects=found).save(force_insert=True)
    return ref


def record_denial(*, act: Act, denied: str, code: str, way: str, subject_kind: str = "permission", subject_id: str | None = None) -> str:
    """Record that `act.actor` was refused permission `denied`, inside an `acting` of its own (that of the refused act is rolled back); returns the record's ref.

    `code` is the decision's code, `way` as in `record_access`; the subject is what was asked for, where that is known.
    """
    return _append(act, DENIED, subject_kind, subject_id or denied, {"permission": denied, "code": code, "way": way})


def answer_digest(answer: bytes | Iterable[bytes]) -> str:
    """The hex SHA-256 of an answer, whole or in pieces."""
    if isinstance(answer, bytes):
        return sha256(answer).hex()
    import hashlib

    digest = hashlib.sha256()
    for piece in answer:
        digest.update(piece)
    return digest.hexdigest()


def subjects_digest(found: Iterable[int]) -> str:
    """What a record says of its blind entries: the hex SHA-256 of the packed entries."""
    return sha256(blind.packed(found)).hex()


def _append(act: Act, name: str, subject_kind: str, subject_id: str, facts: dict[str, object]) -> str:
    ref = ports.evidence().append(act=act, action=name, subject_kind=subject_kind, subject_id=subject_id, facts=facts)
    act.records.append(ref)
    return ref


def record_block(
    *, act: Act, block: str, table: str, rows: int, root: bytes, first: int, last: int, written_at: datetime, release: str, arity: int = 2
) -> str:
    """Enter a block of the lake into the ledger and return the record's ref; a block that is there already stays as it is.

    `root` is the Merkle root over the block's canonical rows in a tree of this arity, `first` and `last` the stream sequence numbers that it covers.
    """
    with connection.cursor() as cursor:  # two importers at once must not both find the block missing
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"block {block}"])
    found = EvidenceRecord.objects.filter(subject_kind=BLOCK, subject_id=block).values_list("ref", flat=True).first()
    if found is not None:
        return str(found)
    return _record_block(
        act=act, block=block, table=table, rows=rows, root=root, first=first, last=last, written_at=written_at, release=release, arity=arity
    )


@action("evidence.record_block", title="登记数据块")
def _record_block(
    *, act: Act, block: str, table: str, rows: int, root: bytes, first: int, last: int, written_at: datetime, release: str, arity: int = 2
) -> str:
    facts = {"table": table, "rows": rows, "root": root.hex(), "first": first, "last": last, "written_at": written_at, "release": release}
    return act.record(BLOCK, block, facts | ({"arity": arity} if arity != 2 else {}))
