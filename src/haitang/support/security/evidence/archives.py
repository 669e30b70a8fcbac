"""Sealed archives: evidence older than setting `evidence_months` moves out of the database into files that anybody can verify.

An archive is two files in the data directory's `archives/`, named by their content:

    evidence-<first seal>-<last seal>-<sha256, 16 digits>.jsonl.gz   the complete evidence file of those seals: whoever has a key verifies it offline
    private-<first seal>-<last seal>-<sha256, 16 digits>.jsonl.gz    salts, ids and blind entries, mode 0600: what a restore and a search for a person need

The database keeps every seal and a signed row about each archive, and deletes a record only if its seal is archived and older than six months (a trigger says so too).
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.db import connection, transaction

from haitang.base import clock
from haitang.base.actions import Act, acting, action, system
from haitang.base.disk import put
from haitang.base.errors import error
from haitang.base.settings import BAD_SETTING, settings
from haitang.support.security.evidence.archive_lines import archive_statement, private_lines
from haitang.support.security.evidence.export import export_seals
from haitang.support.security.evidence.keyring import keys, sign, signing_key
from haitang.support.security.evidence.models import Access, Archive, EvidenceRecord, Seal
from haitang.support.security.evidence.verify import verify

LEAST_MONTHS, DAYS_A_MONTH = 6, 31
AT_MOST = 200_000
LOCK = int.from_bytes(b"archives", "big")
DAMAGED = error("evidence.archive_damaged", 500, "归档文件 {file} 缺失或内容与登记的摘要不符。请从备份恢复 archives 目录。")
NO_ARCHIVE = error("evidence.no_archive", 404, "没有包含封存 {seal} 的归档。")


def folder() -> Path:
    """`DATA/archives`, made with mode 0700."""
    found = settings().data / "archives"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def months() -> int:
    """How long evidence stays in the database; raises BAD_SETTING below six months."""
    found = settings().evidence_months
    if found < LEAST_MONTHS:
        raise BAD_SETTING(name="HAITANG_EVIDENCE_MONTHS", value=found, reason="网络日志至少留存六个月（《网络安全法》第二十一条）")
    return found


def due(at: datetime) -> list[Seal]:
    """Seals whose records are to move now, oldest first, about `AT_MOST` records at a time; never the newest seal."""
    newest = Seal.objects.order_by("-number").first()
    last = Archive.objects.order_by("-last_seal").first()
    before = at - timedelta(days=months() * DAYS_A_MONTH)
    taken: list[Seal] = []
    records = 0
    for seal in Seal.objects.filter(number__gt=last.last_seal if last else 0, sealed_at__lt=before).order_by("number"):
        records += seal.count
        if seal == newest or (taken and records > AT_MOST):
            break
        taken.append(seal)
    return taken


@action("evidence.archive", title="归档证据")
def archive(*, act: Act, seals: list[Seal]) -> Archive:
    """Write the archive of these seals, verify it as a stranger would, enter it, and take the records out of the database."""
    first, last = seals[0].number, seals[-1].number
    public, digest = _written("evidence", first, last, 0o644, lambda out: export_seals(out, first, last))
    _verified(public)
    private, private_digest = _written("private", first, last, 0o600, lambda out: out.writelines(private_lines(first, last)))
    key, signing = signing_key()
    made = Archive(
        first_seal=first, last_seal=last, records=sum(seal.count for seal in seals), begins=seals[0].sealed_at, ends=seals[-1].sealed_at,
        file=public.name, digest=digest, private_file=private.name, private_digest=private_digest, archived_at=act.at, key=key,
    )  # fmt: skip
    made.signature = sign(key, signing, archive_statement(made))
    act.record("archive", f"{first}-{last}", {"records": made.records, "digest": digest, "private_digest": private_digest})
    made.save(force_insert=True)
    _forget(first, last)
    return made


def _forget(first: int, last: int) -> None:
    held = EvidenceRecord.objects.filter(seal_id__gte=first, seal_id__lte=last)
    Access.objects.filter(ref__in=held.values("ref"))._raw_delete("default")
    held._raw_delete("default")


def _written(kind: str, first: int, last: int, mode: int, write: Any) -> tuple[Path, str]:
    """A gzip file under the name of its content, synced before it gets that name."""
    draft = folder() / f".{kind}-{first}-{last}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as out:
        write(out)
    digest = _digest(draft)
    file = folder() / f"{kind}-{first}-{last}-{digest[:16]}.jsonl.gz"
    put(draft, file)
    return file, digest


def _digest(file: Path) -> str:
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def _verified(file: Path) -> None:
    """Nothing is taken out of the database before the file that holds it verifies."""
    with gzip.open(file) as lines:
        report = verify(cast(BinaryIO, lines), bytes.fromhex(keys()[0].public))
    if not report.complete or any(finding.code != "key_compromised" for finding in report.findings):
        raise DAMAGED(file=file)


def file_of(found: Archive, *, private: bool = False) -> Path:
    """An archive's file, compared with its digest; raises DAMAGED."""
    name, digest = (found.private_file, found.private_digest) if private else (found.file, found.digest)
    file = folder() / name
    if not file.is_file() or _digest(file) != digest:
        raise DAMAGED(file=file)
    return file


def lines_of(found: Archive, *, private: bool = False) -> Iterator[dict[str, Any]]:
    """The lines of an archive's file, read one by one: an archive may be far larger than memory should be. Raises DAMAGED at once."""
    return _lines(file_of(found, private=private))


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(file) as lines:
        yield from map(json.loads, lines)


def records_of(found: Archive) -> Iterator[EvidenceRecord]:
    """The records of an archive in the order of the ledger, as they were but for salt and id, which the private file keeps. Not saved anywhere."""
    return (_record(line) for line in lines_of(found) if line["type"] == "record")


def _record(line: dict[str, Any], **more: Any) -> EvidenceRecord:
    body = line["body"]
    return EvidenceRecord(
        ref=body["ref"], at=datetime.fromisoformat(body["at"]), actor=body["actor"], action=body["action"], subject_kind=body["subject_kind"],
        subject_id=body["subject_id"], release=body["release"], facts=body["facts"], seal_id=line["seal"], leaf_index=line["index"], **more,
    )  # fmt: skip


def archive_of(seal: int) -> Archive:
    """The archive that holds a seal's records; raises NO_ARCHIVE."""
    found = Archive.objects.filter(first_seal__lte=seal, last_seal__gte=seal).first()
    if found is None:
        raise NO_ARCHIVE(seal=seal)
    return found


@action("evidence.restore_archive", title="恢复归档证据")
def restore(*, act: Act, found: Archive) -> int:
    """Bring an archive's records back into the database, as they were; gives how many. `put_back` takes them out again."""
    bodies = {line["body"]["ref"]: line for line in lines_of(found) if line["type"] == "record"}
    records, accesses = [], []
    present = {
        str(ref)
        for ref in EvidenceRecord.objects.filter(seal_id__gte=found.first_seal, seal_id__lte=found.last_seal).values_list("ref", flat=True)
    }
    for kept in lines_of(found, private=True):
        if kept["ref"] in present:
            continue
        own = {"id": kept["id"], "salt": bytes.fromhex(kept["salt"]), "digest": kept["digest"], "suite": kept["suite"]}
        records.append(_record(bodies[kept["ref"]], **own))
        if kept["subjects"]:
            accesses.append(Access(ref=kept["ref"], subjects=kept["subjects"]))
    EvidenceRecord.objects.bulk_create(records)
    Access.objects.bulk_create(accesses, batch_size=100)
    act.record("archive", f"{found.first_seal}-{found.last_seal}", {"restored": len(records)})
    return len(records)


@action("evidence.put_back", title="移出已恢复的归档证据")
def put_back(*, act: Act, found: Archive) -> int:
    """Take the restored records of an archive out of the database again, once both files are seen to be whole; gives how many. Raises DAMAGED."""
    held = EvidenceRecord.objects.filter(seal_id__gte=found.first_seal, seal_id__lte=found.last_seal).count()
    for private in (False, True):
        file_of(found, private=private)
    _forget(found.first_seal, found.last_seal)
    act.record("archive", f"{found.first_seal}-{found.last_seal}", {"records": held})
    return held


def restored() -> list[Archive]:
    """Archives whose records are in the database again."""
    return [
        each for each in Archive.objects.order_by("first_seal")
        if EvidenceRecord.objects.filter(seal_id__gte=each.first_seal, seal_id__lte=each.last_seal).exists()
    ]  # fmt: skip


def search_archives(wanted: list[int], among: Iterable[Archive] | None = None) -> Iterator[EvidenceRecord]:
    """Records of archived accesses that concern any of the blind entries, oldest first, in all archives or `among` some."""
    for found in Archive.objects.order_by("first_seal") if among is None else among:
        hits = {kept["ref"] for kept in lines_of(found, private=True) if set(kept["subjects"]) & set(wanted)}
        if hits:
            yield from (record for record in records_of(found) if record.ref in hits)


def archive_due() -> int:
    """Archive what is due; gives how many records moved. The sealer's process and the command may ask at once: one does it, the other finds it done."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        seals = due(clock.now())
        if not seals:
            return 0
        with acting(system("sealer")) as act:
            return archive(act=act, seals=seals).records
