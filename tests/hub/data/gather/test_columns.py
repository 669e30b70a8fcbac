"""What is done with whole columns gives the same bytes as what is done value by value."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.catalogue.tables import AS_JSON, canonical, leaf, mark_of
from haitang.hub.data.gather.judge import codes, leaves
from haitang.hub.data.lake.connection import plain
from haitang.support.security.evidence.columns import digests
from haitang.support.standards.codes import CODES

TYPES = {
    "b_text": "varchar", "a_text": "varchar", "whole": "bigint", "exact": "decimal(18, 2)", "long": "decimal(38, 10)", "number": "double",
    "yes": "boolean", "day": "date", "time": "timestamptz",
}  # fmt: skip
TEXTS = st.text(st.sampled_from('ab"\\\n\t\0\x7f海棠/ é😀\u2028'), max_size=6)
ROWS = st.lists(
    st.tuples(
        TEXTS,
        st.none() | TEXTS,
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.decimals(-(10**15), 10**15, places=2),
        st.none() | st.decimals(-1, 1, places=10),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.booleans(),
        st.none() | st.dates(date(1, 1, 1)),
        st.none() | st.integers(-(2**31), 2**32).map(lambda seconds: datetime.fromtimestamp(seconds + 0.25, UTC)),
    ),
    min_size=1,
    max_size=30,
)
ARROW = {"bigint": pa.int64(), "double": pa.float64(), "boolean": pa.bool_(), "date": pa.date32(), "timestamptz": pa.timestamp("us", "UTC")}
CONNECTION = plain()


def arrow(type: str) -> Any:
    digits = {"decimal(18, 2)": pa.decimal128(18, 2), "decimal(38, 10)": pa.decimal128(38, 10)}
    return digits.get(type) or ARROW.get(type, pa.string())


@settings(deadline=None)
@given(ROWS)
def test_leaves_of_columns_are_those_of_rows(rows: list[tuple[Any, ...]]) -> None:
    table = pa.table(
        {name: pa.array(values, arrow(type)) for (name, type), values in zip(TYPES.items(), zip(*rows, strict=True), strict=True)}
    )
    CONNECTION.register("given_rows", table)
    by_row = [text for (text,) in CONNECTION.execute(f"select {leaf(TYPES)} from given_rows").fetchall()]
    written = [f'"{name}"::varchar as "{leaves.WRITTEN}{name}"' for name, type in TYPES.items() if type != "varchar"]
    prepared = CONNECTION.execute(f"select *, {', '.join(written)} from given_rows").to_arrow_table()
    assert [bytes(each).hex() for each in digests(leaves.texts(prepared, TYPES))] == by_row


def text_of(arity: int) -> str:
    found = CONNECTION.execute(
        f"""select {canonical(["b", "a", "c"], arity)} from (select 1.25::decimal(18, 2) as a, 'x"y' as b, null::date as c)"""
    ).fetchone()
    return str(found[0])


def test_the_text_of_a_row_names_its_columns_and_quotes_its_values() -> None:
    assert text_of(32) == f'"{mark_of("abc")}","1.25","x""y",'
    assert mark_of("abc") != mark_of("acb")


def test_an_exact_number_is_written_with_all_its_places() -> None:
    CONNECTION.register("given_rows", pa.table({"n": pa.array([Decimal("0.0000000001"), Decimal("0E-10")], pa.decimal128(38, 10))}))
    found = CONNECTION.execute(f"select {canonical(['n'])} from given_rows").fetchall()
    assert found == [(f'"{mark_of("n")}","0.0000000001"',), (f'"{mark_of("n")}","0.0000000000"',)]


def test_the_text_of_a_row_of_an_earlier_release_is_what_it_was() -> None:
    assert {text_of(arity) for arity in AS_JSON} == {'{"a":1.25,"b":"x\\"y","c":null}'}


@settings(deadline=None)
@given(st.sampled_from(sorted(CODES)), st.data())
def test_codes_become_normal_in_columns_as_one_by_one(type: str, data: st.DataObject) -> None:
    text = st.text(st.sampled_from("0123456789AXax -+·渝９８６"), max_size=20) | st.sampled_from(
        [
            "990101500101001",
            "99010119500101001x",
            "91990101000000001x",
            "渝a·12345",
            "+86 15400001234",
            "8615400001234",
            "12345678-x",
            "500111",
        ]
    )
    column = pa.array(data.draw(st.lists(st.none() | text, max_size=30)), pa.string())
    code = CODES[type]
    assert codes.normal(column, type, code).to_pylist() == [None if each is None else code.normal(each) for each in column.to_pylist()]


@pytest.mark.parametrize("type", sorted(CODES))
def test_a_column_longer_than_a_slice_is_judged_as_its_values_are(type: str) -> None:
    few = [
        "990101195001010015",
        "99010119500101001X",
        "919901010000000010",
        "1234567-8",
        "500111",
        "15400001234",
        "渝A12345",
        None,
        "é" * 9,
    ]
    column = pa.array(few * 4000, pa.string())
    assert CODES[type].faulty(column).tolist() == [each is not None and bool(CODES[type].fault(each)) for each in few] * 4000


@given(
    st.lists(st.sampled_from(["500111", " 500111 ", "５００１１１", "500 111", "50011", "500111101", "990101", "", None]), max_size=40),
    st.integers(0, 3),
)
def test_a_division_that_stands_many_times_comes_out_as_if_each_were_looked_at(texts: list[str | None], first: int) -> None:
    code = CODES["division"]
    column = pa.array([*["500111"] * first, *texts], pa.string()).slice(first)
    found = codes.prepared_code("d", ResourceField(title="区划", type="division"), column, code)
    told = [code.normal(text) if text and text.strip() else None for text in texts]
    assert found["t__d"].to_pylist() == told
    assert found["m__d"].to_pylist() == [bool(text and code.fault(text)) for text in told]
