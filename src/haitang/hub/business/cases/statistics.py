"""Evaluation figures of cases, by CJ/T 292 and GB/T 30428.4: counts and rates of a period, by organization, kind, division, source or severity.

Each count is the number of cases that `figure_of` lets through, so that the list behind a number is the same query. A case belongs to a period by when it
was accepted (受理) for 受理, 立案 and 不予立案; by when it was dispatched, handled or closed for those; for the rates of closing by when it was due (应结案).
A rate without a denominator is None, never 0 or 100.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q, QuerySet

from haitang.base import clock
from haitang.base.text import T
from haitang.hub.business.cases.models import Case
from haitang.hub.business.cases.standing import overdue_at

BY = {
    "organization": "organization_id", "kind": "case_kind", "division": "division", "source": "source", "severity": "severity", "origin": "origin",
}  # fmt: skip


@dataclass(frozen=True)
class Period:
    """[since, until)."""

    since: datetime
    until: datetime

    def has(self, field: str) -> Q:
        return Q(**{f"{field}__gte": self.since, f"{field}__lt": self.until})


FILED = Q(filed_at__isnull=False)


def _due(period: Period) -> Q:
    return FILED & period.has("due_at")


def _handled(period: Period) -> Q:
    return period.has("handled_at")


# Word -> (title, which cases it counts).
FIGURES: Mapping[str, tuple[str, Callable[[Period], Q]]] = {
    "accepted": (T("受理数"), lambda period: period.has("opened_at")),
    "opened": (T("立案数"), lambda period: FILED & period.has("opened_at")),
    "dismissed": (T("不予立案数"), lambda period: Q(filed_at__isnull=True, closed_at__isnull=False) & period.has("opened_at")),
    "dispatched": (T("派遣数"), lambda period: period.has("dispatched_at")),
    "handled": (T("处置数"), _handled),
    "closed": (T("结案数"), lambda period: FILED & period.has("closed_at")),
    "due": (T("应结案数"), _due),
    "due_closed": (T("应结案中已结案数"), lambda period: _due(period) & Q(closed_at__isnull=False)),
    "closed_on_time": (T("按期结案数"), lambda period: _due(period) & Q(closed_on_time=True)),
    "overdue": (T("超期未结数"), lambda period: overdue_at(clock.now())),
    "returned": (T("返工数"), lambda period: _handled(period) & Q(returned__gt=0)),
    "extended": (T("延期数"), lambda period: FILED & period.has("opened_at") & Q(extended__gt=0)),
}


def figure_of(name: str, *, since: datetime, until: datetime) -> Q:
    """The cases that a figure of [since, until) counts; `overdue` is as of now, whatever the period."""
    return FIGURES[name][1](Period(since, until))


@dataclass(frozen=True)
class Figures:
    """Figures of one group. Rates are percent, 0 to 100; `handling` is the mean time from dispatch to the last handling."""

    group: str | None
    accepted: int  # 受理数
    opened: int  # 立案数
    dismissed: int  # 不予立案数
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
    def filing_rate(self) -> float | None:
        """立案率 = 立案 / 受理."""
        return _percent(self.opened, self.accepted)

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


RATES = ("filing_rate", "closing_rate", "on_time_rate", "rework_rate")


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def statistics(found: QuerySet[Case], *, since: datetime, until: datetime, by: str | None = None) -> list[Figures]:
    """Figures of the cases `found` in [since, until), for all (one entry) or for each group of `by` (a key of BY), in order of the group."""
    took = ExpressionWrapper(F("handled_at") - F("dispatched_at"), output_field=DurationField())
    counts: dict[str, Count | Avg] = {name: Count("pk", filter=figure_of(name, since=since, until=until)) for name in FIGURES}
    counts["handling"] = Avg(took, filter=figure_of("handled", since=since, until=until))
    if by is None:
        return [Figures(group=None, **found.aggregate(**counts))]
    name = BY[by]
    return [Figures(group=row.pop(name), **row) for row in found.order_by(name).values(name).annotate(**counts)]
