"""A pattern that is a row of characters holds for the same texts as DuckDB says of the expression; other patterns are left to DuckDB."""

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from haitang.hub.data.gather.judge.shapes import misfits, shape_of
from haitang.hub.data.lake.connection import plain

CONNECTION = plain(threads=1)
PATTERNS = [
    "E[0-9]{8}",
    "^PK-[0-9]{4}$",
    "[A-Za-z_]{2}[0-9]",
    r"\d{3}",
    "a{2}b",
    "[-+]?",
    "[xé]",
    "E[^0-9]",
    "[0-9]+",
    "(ab)",
    ".{3}",
    "",
    r"[\d]{2}",
    "a{0}b",
]
text = st.one_of(*(st.from_regex(pattern, fullmatch=True) for pattern in ("E[0-9]{8}", "PK-[0-9]{4}", "[a-z]{2}[0-9]", "[0-9]{3}", "aab")))
cell = st.one_of(st.none(), text, st.text("E0129PK-ab é店", max_size=9))


@settings(deadline=None)
@given(st.lists(cell, min_size=1, max_size=30))
@example(["E00000001", "E0000000", None, "", "店店店", "e00000001", "E0000000１"])
@pytest.mark.parametrize("pattern", [pattern for pattern in PATTERNS if shape_of(pattern)])
def test_a_shape_misses_what_the_expression_misses(pattern: str, texts: list[str | None]) -> None:
    column = pa.array(["before", *texts], pa.string()).slice(1)
    CONNECTION.register("given_texts", pa.table({"t": column}))
    told = CONNECTION.execute(f"select coalesce(not regexp_full_match(t, '{pattern}'), false) from given_texts").fetchall()
    shape = shape_of(pattern)
    assert shape
    assert misfits(column, shape).tolist() == [wrong for (wrong,) in told]


def test_which_patterns_are_shapes() -> None:
    assert [pattern for pattern in PATTERNS if shape_of(pattern)] == [
        "E[0-9]{8}",
        "^PK-[0-9]{4}$",
        "[A-Za-z_]{2}[0-9]",
        r"\d{3}",
        "a{2}b",
        "a{0}b",
    ]
