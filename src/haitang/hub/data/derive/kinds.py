"""The kind `derive`: a table computed from observations and other tables by SQL."""

from typing import Literal

from haitang.base.declarations import Declaration, SpanText, Text, Word, kind


@kind("derive", title="派生数据", folder="derive", shape="sql")
class Derive(Declaration):
    """A derivation. `sql` is the statement below the header; `kind`:

    full         computed anew each time
    incremental  computed for the buckets of `time` that new data touch (`time: hour` or `day`, China time)
    keyed        computed for the keys of `grain` that new data touch

    `looks_back`: how long before its own hour or day a row reads (`23h` for a moving mean of 24 hours). Those hours are read too, and new data compute
    the rows that look back on them anew.
    """

    title: Text
    kind: Literal["full", "incremental", "keyed"] = "full"
    time: Literal["hour", "day"] | None = None
    looks_back: SpanText | None = None
    grain: list[Word]
    tests: list[str] = []
    sql: str
    titles: dict[Word, Text] = {}  # column -> title
