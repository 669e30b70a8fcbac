"""Archives looked at again: whether both files are what was signed, and whether the ledger in them still verifies.

A large archive takes a minute, so a person asks and the worker checks; both are evidence, and the page reads the last result from there.
"""

import gzip
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

from procrastinate.contrib.django import app

from haitang.base.actions import Act, action
from haitang.base.errors import HaitangError
from haitang.support.security.evidence.archive_lines import archive_statement
from haitang.support.security.evidence.archives import DAMAGED, file_of
from haitang.support.security.evidence.key_chain import signed
from haitang.support.security.evidence.keyring import key_json, keys
from haitang.support.security.evidence.models import Archive, EvidenceRecord
from haitang.support.security.evidence.verify import verify

CHECK, MOST_FAULTS = "evidence.check_archive", 20
SUBJECT = "archive"
ASKED, CHECKED = "evidence.ask_archive_check", "evidence.archive_checked"


@dataclass(frozen=True)
class Standing:
    """What the ledger says of an archive's last check: `faults` are codes, empty where it held, None while it runs or before the first."""

    asked_at: datetime | None
    checked_at: datetime | None
    faults: list[str] | None

    @property
    def runs(self) -> bool:
        return self.asked_at is not None and (self.checked_at is None or self.checked_at < self.asked_at)


def name_of(found: Archive) -> str:
    """The archive in evidence: its seals, such as `1-40`."""
    return f"{found.first_seal}-{found.last_seal}"


@action(ASKED, title="申请核验归档")
def ask_check(*, act: Act, found: Archive) -> None:
    """Have the worker check an archive."""
    act.record(SUBJECT, name_of(found), {})
    app.configure_task(CHECK).defer(first_seal=found.first_seal)


@action(CHECKED, title="核验归档")
def check_archive(*, act: Act, found: Archive) -> list[str]:
    """Check an archive now; gives the codes of what is wrong, none where it holds."""
    faults = faults_of(found)
    act.record(SUBJECT, name_of(found), {"held": not faults, "faults": faults, "records": found.records})
    return faults


def faults_of(found: Archive) -> list[str]:
    """`archive_signature`, `archive_damaged`, `records_missing`, and the codes of the offline verifier. Known compromises of keys are no fault of a file."""
    faults = set() if signed(key_json(found.key), archive_statement(found), found.signature) else {"archive_signature"}
    try:
        file_of(found, private=True)
        with gzip.open(file_of(found)) as lines:
            report = verify(cast(BinaryIO, lines), bytes.fromhex(keys()[0].public))
    except (HaitangError, OSError, EOFError) as fault:
        if isinstance(fault, HaitangError) and fault.code != DAMAGED.code:
            raise
        return sorted(faults | {"archive_damaged"})
    if not report.complete or report.counts.get("record", 0) != found.records:
        faults.add("records_missing")
    faults |= {each.code for each in report.findings} - {"key_compromised"}
    return sorted(faults)[:MOST_FAULTS]


def standing(found: Archive) -> Standing:
    """The last check of an archive and whether one runs."""
    rows = EvidenceRecord.objects.filter(subject_kind=SUBJECT, subject_id=name_of(found)).order_by("-id")
    asked, checked = rows.filter(action=ASKED).first(), rows.filter(action=CHECKED).first()
    return Standing(asked.at if asked else None, checked.at if checked else None, checked.facts["faults"] if checked else None)
