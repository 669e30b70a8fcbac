"""Evidence files: the ledger, or the part of it about one subject, for anyone to verify offline."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, BinaryIO

from django.db.models import Count

from haitang.base import clock
from haitang.base.actions import Act, action
from haitang.base.errors import error
from haitang.support.security.cryptography.suites import SUITES
from haitang.support.security.evidence.keyring import compromise_json, key_json, keys, signing_key
from haitang.support.security.evidence.ledger import body
from haitang.support.security.evidence.lines import FORMAT, encode, marks_of
from haitang.support.security.evidence.merkle import Tree
from haitang.support.security.evidence.models import Archive, EvidenceRecord, KeyCompromise, Seal
from haitang.support.security.evidence.sealing import as_json, leaves_of, unsealed

NOT_SEALED = error("evidence.not_sealed", 409, "记录 {ref} 还没有封存，请稍后再试。")
NO_RECORD = error("evidence.no_record", 404, "没有编号为 {ref} 的证据记录。")


@dataclass(frozen=True)
class Row:
    """A row of the data lake: its canonical text, and the proof that it stands at `index` in `block`."""

    block: str
    index: int
    text: str
    proof: Sequence[str]


@dataclass(frozen=True)
class Scope:
    """What a file holds. Without a subject or a record it is complete: every record of every seal from `since` up to `until`."""

    since: datetime | None = None
    until: datetime | None = None
    subjects: tuple[str, ...] = ()
    record: str | None = None
    actions: tuple[str, ...] = ()
    seals: tuple[int, int] | None = None

    @property
    def complete(self) -> bool:
        return not self.subjects and not self.actions and self.record is None

    def as_json(self) -> dict[str, Any]:
        return {
            "from": self.since.isoformat() if self.since else None,
            "to": self.until.isoformat() if self.until else None,
            "subjects": list(self.subjects),
            "record": self.record,
            **({"actions": list(self.actions)} if self.actions else {}),
            **({"seals": list(self.seals)} if self.seals else {}),
        }


@action("evidence.export", title="导出证据")
def note_export(*, act: Act, scope: Scope) -> None:
    """An export is itself evidence."""
    act.record("evidence", scope.record or ",".join(scope.subjects)[:128] or "all", scope.as_json())


class _File:
    """Writes lines and keeps the digest of all of them."""

    def __init__(self, out: BinaryIO) -> None:
        self.out, self.digest, self.lines = out, hashlib.sha256(), 0

    def put(self, type: str, **members: Any) -> None:
        line = encode({"type": type, **members})
        self.out.write(line)
        self.digest.update(line)
        self.lines += 1


def export(out: BinaryIO, scope: Scope, rows: Sequence[Row] = ()) -> dict[str, Any]:
    """Write an evidence file and return its manifest. Only sealed records go out; `unsealed` says how many wait."""
    records = _records(scope, rows)
    sizes = dict(records.order_by().values_list("seal_id").annotate(Count("pk")))
    records = records.filter(seal_id__lte=max(sizes, default=0))  # the sealer goes on meanwhile; its numbers only rise
    seals = list(Seal.objects.filter(number__in=sizes).order_by("number"))
    key, private = signing_key()
    every, marked = keys(), list(KeyCompromise.objects.order_by("id"))
    manifest = {
        "format": FORMAT,
        "created_at": clock.now().isoformat(timespec="microseconds"),
        "scope": scope.as_json(),
        "complete": scope.complete,
        "keys": len(every),
        "compromises": len(marked),
        "seals": len(seals),
        "records": sum(sizes.values()),
        "rows": len(rows),
        "unsealed": unsealed(),
    }
    file = _File(out)
    file.put("manifest", **manifest)
    for one in every:
        file.put("key", **key_json(one))
    for compromise in marked:
        file.put("compromise", **compromise_json(compromise))
    for seal in seals:
        file.put("seal", **as_json(seal), timestamp=bytes(seal.timestamp_token).hex() if seal.timestamp_token else None)
    for line in _record_lines(records, {seal.number: seal for seal in seals}):
        file.put("record", **line)
    for row in rows:
        file.put("row", block=row.block, index=row.index, row=row.text, proof=list(row.proof))
    digest, suite = file.digest.digest(), SUITES[key.suite]
    signature = suite.sign(private, digest).hex()
    file.put("end", lines=file.lines, digest=digest.hex(), key=key.id, suite=key.suite, signature=signature)
    return manifest


def _records(scope: Scope, rows: Sequence[Row]) -> Any:
    """Sealed records in the order of the ledger; with rows, also the records of their blocks."""
    found = EvidenceRecord.objects.filter(seal__isnull=False)
    if scope.since:
        found = found.filter(seal__sealed_at__gte=scope.since)
    if scope.until:
        found = found.filter(seal__sealed_at__lt=scope.until)
    if scope.complete and not scope.seals:
        found = found.filter(seal_id__gt=_last_away())
    if scope.record:
        found = found.filter(ref=scope.record)
    if scope.seals:
        found = found.filter(seal_id__gte=scope.seals[0], seal_id__lte=scope.seals[1])
    if scope.actions:
        found = _of_actions(found, scope.actions)
    if scope.subjects:
        found = _about(found, scope.subjects)
    blocks = EvidenceRecord.objects.filter(seal__isnull=False, subject_kind="block", subject_id__in={row.block for row in rows})
    return (found | blocks if rows else found).order_by("seal_id", "leaf_index")


def _last_away() -> int:
    """The last seal whose records are in an archive only. A complete file begins after it, even where an older archive was restored: it has no gap."""
    for archive in Archive.objects.order_by("-last_seal"):
        if not EvidenceRecord.objects.filter(seal_id__gte=archive.first_seal, seal_id__lte=archive.last_seal).exists():
            return archive.last_seal
    return 0


def _about(found: Any, subjects: Iterable[str]) -> Any:
    """Records whose subject is one of `kind:id`."""
    chosen = found.none()
    for subject in subjects:
        kind, _, id = subject.partition(":")
        chosen = chosen | found.filter(subject_kind=kind, subject_id=id)
    return chosen


def _of_actions(found: Any, actions: Iterable[str]) -> Any:
    """Records whose action is one of the words; `case.*` covers every action of a room."""
    chosen = found.none()
    for word in actions:
        chosen = chosen | (found.filter(action__startswith=word[:-1]) if word.endswith(".*") else found.filter(action=word))
    return chosen


def counted(scope: Scope) -> int:
    """How many sealed records a file of this scope would hold."""
    return int(_records(scope, ()).count())


def _record_lines(records: Any, seals: dict[int, Seal]) -> Iterator[dict[str, Any]]:
    for number, found in groupby(records.iterator(chunk_size=5000), key=lambda record: record.seal_id):
        suite = SUITES[seals[number].suite]
        tree = Tree(leaves_of(number, suite), hash=suite.hash)
        for record in found:
            content, proof = body(record), [step.hex() for step in tree.inclusion_proof(record.leaf_index)]
            yield {"body": content, "seal": number, "index": record.leaf_index, "proof": proof, "marks": marks_of(content)}


def export_seals(out: BinaryIO, first: int, last: int) -> dict[str, Any]:
    """The complete evidence file of the seals from `first` to `last`, both included."""
    return export(out, Scope(seals=(first, last)))


def receipt(out: BinaryIO, ref: str) -> dict[str, Any]:
    """The evidence file of one record: the proof that it stands in its seal. Raises NO_RECORD, NOT_SEALED."""
    found = EvidenceRecord.objects.filter(ref=ref).first()
    if found is None:
        raise NO_RECORD(ref=ref)
    if found.seal_id is None:
        raise NOT_SEALED(ref=ref)
    return export(out, Scope(record=ref))
