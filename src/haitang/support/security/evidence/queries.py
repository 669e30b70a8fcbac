"""Reads of the ledger: records about a subject, seals, and the root of each day."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import BigIntegerField, QuerySet, Sum, Value

from haitang.base.clock import CHINA
from haitang.support.security.cryptography.suites import SUITES, in_use
from haitang.support.security.evidence.merkle import leaf_hash, root
from haitang.support.security.evidence.models import Access, EvidenceRecord, Seal
from haitang.support.security.evidence.seals import NOTHING_BEFORE


def records(subject_kind: str | None = None, subject_id: str | None = None, actor: str | None = None) -> QuerySet[EvidenceRecord]:
    """Records, newest first, of a subject or an actor where given."""
    given = {"subject_kind": subject_kind, "subject_id": subject_id, "actor": actor}
    return EvidenceRecord.objects.filter(**{name: value for name, value in given.items() if value}).select_related("seal").order_by("-id")


def accesses_to(wanted: Iterable[int]) -> QuerySet[Access]:
    """Accesses under any of the blind entries. Each entry says that it has 64 bits: bound on the server's side, Django's array lookup takes a bare int for one of 32 and cuts it off."""
    return Access.objects.filter(subjects__overlap=[Value(entry, BigIntegerField()) for entry in wanted])


def seals() -> QuerySet[Seal]:
    """Seals, newest first."""
    return Seal.objects.select_related("key").order_by("-number")


def head() -> Seal | None:
    """The newest seal: its chain stands for everything before it."""
    return seals().first()


def counts() -> dict[str, int]:
    """How many records there are, and how many wait for a seal."""
    return {
        "records": EvidenceRecord.objects.count(),
        "unsealed": EvidenceRecord.objects.filter(seal__isnull=True).count(),
        "seals": Seal.objects.count(),
    }


def daily_root(day: date) -> dict[str, Any]:
    """What is published of a civil day in China: the Merkle root over the chains of its seals, and the chain of the last seal up to its end.

    `final` is False while the day still runs. A day without seals has the root of an empty tree and the head of the day before.
    """
    start = datetime.combine(day, time.min, CHINA)
    end = start + timedelta(days=1)
    chains = list(Seal.objects.filter(sealed_at__gte=start, sealed_at__lt=end).order_by("number").values_list("number", "chain"))
    last = Seal.objects.filter(sealed_at__lt=end).order_by("-number").first()
    sealed = Seal.objects.filter(sealed_at__gte=start, sealed_at__lt=end).aggregate(found=Sum("count"))["found"]
    suite = SUITES[last.suite] if last else in_use()
    hash = suite.hash
    return {
        "date": day.isoformat(),
        "seals": len(chains),
        "first_seal": chains[0][0] if chains else None,
        "last_seal": chains[-1][0] if chains else None,
        "records": sealed or 0,
        "root": root([leaf_hash(bytes.fromhex(chain), hash=hash) for _, chain in chains], hash=hash).hex(),
        "head": last.chain if last else NOTHING_BEFORE,
        "suite": suite.name,
    }


def daily_roots(until: date, days: int = 30) -> list[dict[str, Any]]:
    """The roots of the `days` days up to and with `until`, newest first; days before the first seal are left out."""
    first = Seal.objects.order_by("number").first()
    if first is None:
        return []
    begins = first.sealed_at.astimezone(CHINA).date()
    wanted = (until - timedelta(days=back) for back in range(days))
    return [daily_root(day) for day in wanted if day >= begins]
