"""What an archive signs and keeps to itself."""

import json
from collections.abc import Iterator
from datetime import UTC

from haitang.support.security.evidence.canonical import canonical
from haitang.support.security.evidence.models import Access, Archive, EvidenceRecord

FORMAT = "haitang-archive/1"


def archive_statement(found: Archive) -> bytes:
    """What the archive's signature is over: which seals, how many records, and the digests of both files."""
    return canonical({
        "format": FORMAT, "first_seal": found.first_seal, "last_seal": found.last_seal, "records": found.records, "file": found.file,
        "digest": found.digest, "private_file": found.private_file, "private_digest": found.private_digest,
        "archived_at": found.archived_at.astimezone(UTC).isoformat(timespec="microseconds"), "key": found.key_id,
    })  # fmt: skip


def private_lines(first: int, last: int) -> Iterator[bytes]:
    """One line a record: what the evidence file leaves out."""
    for record in (
        EvidenceRecord.objects.filter(seal_id__gte=first, seal_id__lte=last).order_by("seal_id", "leaf_index").iterator(chunk_size=2000)
    ):
        access = Access.objects.filter(ref=record.ref).first() if record.action == "evidence.access" else None
        told = {
            "ref": str(record.ref), "id": record.id, "salt": bytes(record.salt).hex(), "digest": record.digest, "suite": record.suite,
            "subjects": list(access.subjects) if access else [],
        }  # fmt: skip
        yield json.dumps(told, separators=(",", ":")).encode("ascii") + b"\n"
