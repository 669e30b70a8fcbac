"""The kind `derive`: a table computed from observations and other tables by SQL."""

from typing import Literal

from haitang.base.declarations import Declaration, Text, Word, kind


@kind("derive", title="派生数据", folder="derive", shape="sql")
class Derive(Declaration):
    """A derivation. `sql` is the statement below the header; `kind`:

    full         computed anew each time
    incremental  computed for the buckets of `time` that new data touch (`time: hour` or `day`, China time)
    keyed        computed for the keys of `grain` that new data touch
    """

    title: Text
    kind: Literal["full", "incremental", "keyed"] = "full"
    time: Literal["hour", "day"] | None = None
    grain: list[Word]
    tests: list[str] = []
    sql: str
    titles: dict[Word, Text] = {}  # column -> title
