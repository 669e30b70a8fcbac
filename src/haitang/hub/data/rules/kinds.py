"""The kind `rule`: when observations mean that something needs handling."""

from typing import Annotated, Literal

from pydantic import Field

from haitang.base.declarations import Declaration, Reference, SpanText, Text, Tunable, kind

Severity = Literal["notice", "warning", "serious", "critical"]


@kind("rule", title="规则", folder="rules")
class Rule(Declaration):
    """A rule over one property and statistic of one device type.

    `watches`: `air_station.pm2_5, hour mean` (device type, property, statistic), or only a device type for silence.
    `when` and `until`: conditions over
        value            the observation's number
        change(1h)       value minus the value 1 h before
        mean(6h), max(6h), min(6h), sum(6h), count(6h)    over the window (t-6h, t]
        silent           True once the device has sent nothing for its `silent_after`
    joined by and, or, not and comparisons. `until` defaults to the contrary of `when`.
    `for`: how long `when` must hold in event time; a gap longer than `gap` (default one period) starts it anew.
    `opens`: the case type of the case that stands while the alarm lasts; without it the alarm is only shown.
    `opens_within`: an alarm that becomes known later than this after it began opens its case only if it still stands in current data.
    """

    title: Text
    watches: str
    when: Annotated[str, Tunable("报警条件")]
    until: Annotated[str, Tunable("解除条件")] | None = None
    for_: Annotated[SpanText, Tunable("持续多久才报警")] | None = Field(default=None, alias="for")
    gap: SpanText | None = None
    severity: Annotated[Severity, Tunable("级别")] = "warning"
    opens: Annotated[str, Reference("case")] | None = None
    opens_within: Annotated[SpanText, Tunable("报警晚到多久以内仍立即立案")] = "6h"
