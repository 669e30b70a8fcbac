"""Evaluation figures of cases, by CJ/T 292 and GB/T 30428.4: counts and rates of a period, by organization, kind or division.

Which case belongs to a period: opened in it for 立案 and 派遣, closed in it for 结案; for the rates of closing, those that were due in it (应结案).
The platform has no 上报 apart from 立案 yet, so 立案率 is not given. A rate without a denominator is None, never 0 or 100.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from haitang.base import clock
from haitang.hub.business.cases.models import Case

BY = {"organization": "organization_id", "kind": "case_kind", "division": "division", "severity": "severity", "origin": "origin"}


@dataclass(frozen=True)
class Figures:
    """Figures of one group. Rates are percent, 0 to 100; `handling` is the mean time from dispatch to the last handling."""

    group: str | None
    opened: int  # 立案数
    dispatched: int  # 派遣数
    handled: int  # 处置数
    closed: int  # 结案数
    due: int  # 应结案数
    due_closed: int
    closed_on_time: int  # 按期结案数
    overdue: int  # 超期未结数, now
    returned: int  # 返工数
    extended: int  # 延期数
    handling: timedelta | None  # 平均处置时长

    @property
    def closing_rate(self) -> float | None:
        """结案率 = 结案 / 应结案."""
        return _percent(self.due_closed, self.due)

    @property
    def on_time_rate(self) -> float | None:
        """按期结案率 = 按期结案 / 应结案."""
        return _percent(self.closed_on_time, self.due)

    @property
    def rework_rate(self) -> float | None:
        """返工率 = 返工 / 处置."""
        return _percent(self.returned, self.handled)


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def statistics(found: QuerySet[Case], *, since: datetime, until: datetime, by: str | None = None) -> list[Figures]:
    """Figures of the cases `found` in [since, until), for all (one entry) or for each group of `by` (a key of BY), in order of the group."""
    now = clock.now()
    in_time = Q(due_at__gte=since, due_at__lt=until)
    opened = Q(opened_at__gte=since, opened_at__lt=until)
    handled = Q(handled_at__gte=since, handled_at__lt=until)
    took = ExpressionWrapper(F("handled_at") - F("dispatched_at"), output_field=DurationField())
    counts = {
        "opened": Count("pk", filter=opened),
        "dispatched": Count("pk", filter=Q(dispatched_at__gte=since, dispatched_at__lt=until)),
        "handled": Count("pk", filter=handled),
        "closed": Count("pk", filter=Q(closed_at__gte=since, closed_at__lt=until)),
        "due": Count("pk", filter=in_time),
        "due_closed": Count("pk", filter=in_time & Q(closed_at__isnull=False)),
        "closed_on_time": Count("pk", filter=in_time & Q(closed_on_time=True)),
        "overdue": Count("pk", filter=Q(closed_at__isnull=True, paused=False, due_at__lt=now)),
        "returned": Count("pk", filter=handled & Q(returned__gt=0)),
        "extended": Count("pk", filter=opened & Q(extended__gt=0)),
        "handling": Avg(took, filter=handled),
    }
    if by is None:
        return [Figures(group=None, **found.aggregate(**counts))]
    name = BY[by]
    return [Figures(group=row.pop(name), **row) for row in found.order_by(name).values(name).annotate(**counts)]
