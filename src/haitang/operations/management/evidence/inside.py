"""What stands in an archive, as rows of a table: read from the file, never brought into the database."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import islice
from typing import overload

from haitang.base.shell.tables import Filter
from haitang.base.text import T
from haitang.operations.management.evidence.auditor import actors_of, day_after, day_of
from haitang.operations.management.evidence.records import used_actions
from haitang.operations.management.evidence.subjects import KINDS
from haitang.support.security.evidence.archives import records_of
from haitang.support.security.evidence.models import Archive, EvidenceRecord

MOST = 1000
Keep = Callable[[EvidenceRecord], bool]


class Inside(Sequence[EvidenceRecord]):
    """Records of an archive that every test keeps, oldest first, at most MOST of them: read when first asked for, and no further than needed."""

    def __init__(self, found: Archive, tests: tuple[Keep, ...] = ()) -> None:
        self.found, self.tests = found, tests

    def keep(self, test: Keep) -> "Inside":
        return Inside(self.found, (*self.tests, test))

    @cached_property
    def _read(self) -> list[EvidenceRecord]:
        kept = (record for record in records_of(self.found) if all(test(record) for test in self.tests))
        return list(islice(kept, MOST + 1))

    @property
    def more(self) -> bool:
        """Whether there are more than are given."""
        return len(self._read) > MOST

    def __len__(self) -> int:
        return min(len(self._read), MOST)

    @overload
    def __getitem__(self, at: int) -> EvidenceRecord: ...
    @overload
    def __getitem__(self, at: slice) -> list[EvidenceRecord]: ...
    def __getitem__(self, at: int | slice) -> EvidenceRecord | list[EvidenceRecord]:
        return self._read[:MOST][at]


def _by_person(rows: Inside, value: str) -> Inside:
    actors = actors_of(value)
    return rows.keep(lambda record: record.actor in actors)


def _since(rows: Inside, value: str) -> Inside:
    day = day_of(value)
    return rows.keep(lambda record: day is not None and record.at >= day)


def _until(rows: Inside, value: str) -> Inside:
    day = day_after(value)
    return rows.keep(lambda record: day is not None and record.at < day)


def filters() -> list[Filter]:
    """Those of the ledger's own page that make sense here."""
    return [
        Filter("kind", T("对象"), lambda rows, value: rows.keep(lambda record: record.subject_kind == value), choices=lambda: KINDS),
        Filter("action", T("操作"), lambda rows, value: rows.keep(lambda record: record.action == value), choices=used_actions),
        Filter("who", T("谁"), _by_person, kind="text"),
        Filter("subject", T("对象编号"), lambda rows, value: rows.keep(lambda record: record.subject_id == value), kind="text"),
        Filter("since", T("起"), _since, kind="date"),
        Filter("until", T("止"), _until, kind="date"),
    ]
