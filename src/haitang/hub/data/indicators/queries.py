"""Reads of indicators, for tiles, charts and drill-down."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from haitang.base import clock
from haitang.base.actions import permission
from haitang.base.declarations import in_force
from haitang.base.durations import parse_span
from haitang.base.errors import error
from haitang.hub.data.derive.kinds import Derive
from haitang.hub.data.derive.queries import select
from haitang.hub.data.indicators import relations, sql
from haitang.hub.data.indicators.compute import on_relations, tables_of, target
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.indicators.models import IndicatorValue

READ = permission("indicator.read", "查看指标")
NO_DIMENSION = error("indicators.no_dimension", 404, "指标“{indicator}”没有维度“{dimension}”。")

Status = Literal["good", "bad", "none"]


@dataclass(frozen=True)
class Member:
    """The number of one member of a dimension."""

    dimension: str
    member: str
    value: float | None
    status: Status
    stale: bool
    origins: list[str]


@dataclass(frozen=True)
class Current:
    """An indicator as it stands. `status` against the target; `stale`, `partial`, `origins` are to be shown beside the number."""

    id: str
    title: str
    unit: str
    digits: int
    better: str
    note: str | None
    owner: str
    value: float | None
    target: float | None
    status: Status
    at: datetime | None
    source_time: datetime | None
    stale: bool
    partial: bool
    origins: list[str]
    members: list[Member] = field(default_factory=list)


def _status(indicator: Indicator, value: float | None, wanted: float | None) -> Status:
    if value is None or wanted is None or indicator.better == "none":
        return "none"
    return "good" if (value >= wanted if indicator.better == "higher" else value <= wanted) else "bad"


def _stale(indicator: Indicator, kept: IndicatorValue | None) -> bool:
    """Whether the newest input is too old; an indicator over the case table is as new as its computation."""
    if kept is None or kept.source_time is None:
        return True
    return clock.now() - kept.source_time > parse_span(indicator.fresh_within)


def _latest(ids: list[str]) -> dict[str, list[IndicatorValue]]:
    rows = IndicatorValue.objects.filter(indicator__in=ids).order_by("indicator", "dimension", "member", "-at", "-id")
    found: dict[str, list[IndicatorValue]] = {id: [] for id in ids}
    for row in rows.distinct("indicator", "dimension", "member"):
        found[row.indicator].append(row)
    return found


def _current(indicator: Indicator, rows: list[IndicatorValue]) -> Current:
    whole = next((row for row in rows if not row.dimension), None)
    wanted = target(indicator, clock.now())
    members = [
        Member(r.dimension, r.member, r.value, _status(indicator, r.value, wanted), _stale(indicator, r), r.origins)
        for r in rows
        if r.dimension in indicator.by
    ]
    value = whole.value if whole else None
    return Current(
        indicator.id, indicator.title, indicator.unit, indicator.digits, indicator.better, indicator.note, indicator.owner,
        value, wanted, _status(indicator, value, wanted), whole.at if whole else None, whole.source_time if whole else None,
        _stale(indicator, whole), bool(whole and whole.partial), whole.origins if whole else [], members,
    )  # fmt: skip


def current(ids: list[str] | None = None) -> list[Current]:
    """The indicators in force (or those of `ids`, in that order; unknown ones raise NOT_DECLARED) as they stand."""
    declarations = in_force()
    wanted = list(declarations.all(Indicator).values()) if ids is None else [declarations.get(Indicator, id) for id in ids]
    kept = _latest([indicator.id for indicator in wanted])
    return [_current(indicator, kept[indicator.id]) for indicator in wanted]


def one(id: str) -> Current:
    """One indicator as it stands; raises NOT_DECLARED."""
    return current([id])[0]


def history(id: str, *, since: datetime, dimension: str = "", member: str = "", limit: int = 5000) -> list[IndicatorValue]:
    """Kept values from `since` on, oldest first; `definition` changes where the indicator's definition changed."""
    rows = IndicatorValue.objects.filter(indicator=id, dimension=dimension, member=member, at__gte=since)
    return list(rows.order_by("at", "id")[:limit])


def records(id: str, *, dimension: str = "", member: str = "", limit: int = 100, offset: int = 0) -> list[dict[str, Any]]:
    """The rows behind an indicator, newest first; of one member where given. Raises NOT_DECLARED and NO_DIMENSION."""
    declarations = in_force()
    indicator = declarations.get(Indicator, id)
    if dimension and dimension not in indicator.by:
        raise NO_DIMENSION(indicator=indicator.title, dimension=dimension)
    over_lake = indicator.over == "lake"
    tree = sql.parse(indicator.value, tables_of(indicator, declarations))
    order = _time_column(declarations.get(Derive, indicator.records)) if over_lake else relations.registered[indicator.records].time
    statement = sql.records(
        tree, clock.now(), indicator.records, order, dates=over_lake,
        where=(dimension, member) if dimension else None, dialect="duckdb" if over_lake else "postgres",
    )  # fmt: skip
    page = f"{statement} limit {min(max(limit, 1), 1000)} offset {max(offset, 0)}"
    return select(page) if over_lake else on_relations(page)


def read_permission_of_records(id: str) -> str:
    """The permission that shows the rows behind an indicator; raises NOT_DECLARED."""
    indicator = in_force().get(Indicator, id)
    return "data.read" if indicator.over == "lake" else relations.registered[indicator.records].read


def _time_column(derive: Derive) -> str:
    return derive.time or derive.grain[0]
