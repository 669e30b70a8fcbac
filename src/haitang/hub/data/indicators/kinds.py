"""The kind `indicator`: a number that someone answers for."""

from typing import Annotated, Literal

from haitang.base.declarations import Declaration, SpanText, Text, Tunable, Word, kind


@kind("indicator", title="指标", folder="indicators")
class Indicator(Declaration):
    """An indicator. `value` is a SELECT of one number over derivations and platform tables; `by` are the dimensions it is also computed for.

    `target` by year; `better` says which way is good; `fresh_within` is how old its newest input may be before the number is stale;
    `records` names the table a reader drills down to. `over: cases` reads the case table of the business platform instead of the lake.
    """

    title: Text
    unit: str
    value: str
    by: list[Word] = []
    better: Literal["higher", "lower", "none"] = "none"
    target: Annotated[dict[int, float], Tunable("年度目标")] = {}
    fresh_within: Annotated[SpanText, Tunable("多久算过期")] = "26h"
    records: str
    over: Literal["lake", "cases"] = "lake"
    digits: int = 1
    note: Text | None = None  # how it is computed, in words
