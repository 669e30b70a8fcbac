"""Writes about indicators."""

from collections.abc import Sequence
from datetime import timedelta

from haitang.base.actions import Act, action
from haitang.hub.data.indicators.compute import Computed, definition, target
from haitang.hub.data.indicators.kinds import Indicator
from haitang.hub.data.indicators.models import IndicatorValue

KEEP_EVERY = timedelta(hours=1)  # how long an unchanged value goes without a new row


def changed(indicator: Indicator, computed: Sequence[Computed], act: Act) -> list[IndicatorValue]:
    """The values that differ from the last kept ones, or whose last row is an hour old."""
    latest = {
        (kept.dimension, kept.member): kept
        for kept in IndicatorValue.objects.filter(indicator=indicator.id)
        .order_by("dimension", "member", "-at")
        .distinct("dimension", "member")
    }
    rows = [value_row(indicator, number, act) for number in computed]
    return [row for row in rows if _differs(row, latest.get((row.dimension, row.member)))]


def value_row(indicator: Indicator, number: Computed, act: Act) -> IndicatorValue:
    """A computed number as it is kept, at the time of the act."""
    return IndicatorValue(
        indicator=indicator.id, dimension=number.dimension, member=number.member, at=act.at, value=number.value, unit=indicator.unit,
        target=target(indicator, act.at), source_time=number.source_time, partial=number.partial, origins=list(number.origins),
        definition=definition(indicator), release=act.release,
    )  # fmt: skip


def _differs(row: IndicatorValue, kept: IndicatorValue | None) -> bool:
    if kept is None or row.at - kept.at >= KEEP_EVERY:
        return True
    seen = ("value", "target", "partial", "origins", "definition")
    return any(getattr(row, name) != getattr(kept, name) for name in seen)


@action("indicator.record", title="记录指标值")
def record_values(*, act: Act, indicator: Indicator, values: Sequence[IndicatorValue]) -> None:
    """Keep new values and tell open pages."""
    IndicatorValue.objects.bulk_create(values)
    whole = next((v for v in values if not v.dimension), None)
    facts = {"values": {f"{v.dimension}:{v.member}" if v.dimension else "": v.value for v in values}, "definition": definition(indicator)}
    act.record("indicator", indicator.id, facts)
    act.announce("indicator", {"id": indicator.id, "value": whole.value if whole else None, "changed": whole is not None})
