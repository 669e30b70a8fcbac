"""Writes of the ledger that are not themselves someone's action elsewhere: blocks of the data lake."""

from datetime import datetime

from django.db import connection

from haitang.base.actions import Act, action
from haitang.support.security.evidence.models import EvidenceRecord

BLOCK = "block"


def record_block(
    *, act: Act, block: str, table: str, rows: int, root: bytes, first: int, last: int, written_at: datetime, release: str
) -> str:
    """Enter a block of the lake into the ledger and return the record's ref; a block that is there already stays as it is.

    `root` is the Merkle root over the block's canonical rows, `first` and `last` the stream sequence numbers that it covers.
    """
    with connection.cursor() as cursor:  # two importers at once must not both find the block missing
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"block {block}"])
    found = EvidenceRecord.objects.filter(subject_kind=BLOCK, subject_id=block).values_list("ref", flat=True).first()
    if found is not None:
        return str(found)
    return _record_block(
        act=act, block=block, table=table, rows=rows, root=root, first=first, last=last, written_at=written_at, release=release
    )


@action("evidence.record_block", title="登记数据块")
def _record_block(
    *, act: Act, block: str, table: str, rows: int, root: bytes, first: int, last: int, written_at: datetime, release: str
) -> str:
    facts = {"table": table, "rows": rows, "root": root.hex(), "first": first, "last": last, "written_at": written_at, "release": release}
    return act.record(BLOCK, block, facts)
