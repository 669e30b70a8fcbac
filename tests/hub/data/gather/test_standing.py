"""A cell that is said to stand as its value is written is what DuckDB writes of the value; plain lines are read as tokenized ones; hashes once seen are known."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.gather import readers
from haitang.hub.data.gather.judge import convert
from haitang.hub.data.gather.judge.seen import Hashes, twice
from haitang.hub.data.gather.judge.standing import stands, values
from haitang.hub.data.gather.readers.types import Chunk
from haitang.hub.data.lake.connection import plain

CONNECTION = plain(threads=1)
FIELDS = {
    "whole": ResourceField(title="整数", type="integer"),
    "two": ResourceField(title="两位", type="decimal", digits=2),
    "none": ResourceField(title="零位", type="decimal", digits=0),
    "seven": ResourceField(title="七位", type="decimal", digits=7),
    "day": ResourceField(title="日期", type="date"),
}
number = st.from_regex(r"[-+]?[0-9]{0,16}([.][0-9]{0,8})?", fullmatch=True)
day = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)
text = st.one_of(
    number,
    day,
    st.sampled_from(
        [
            "0",
            "00",
            "0.00",
            "0.10",
            ".10",
            "1.00",
            "007",
            "1e5",
            "十",
            "2026-02-30",
            "0000-01-01",
            "2026-3-1",
            "2024-02-29",
            "2100-02-29",
            "99999999999.99",
            "999999999999999",
        ]
    ),
)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), text), min_size=1, max_size=30))
@pytest.mark.parametrize("name", FIELDS)
def test_what_stands_is_what_its_value_is_written_as(name: str, texts: list[str | None]) -> None:
    declared = FIELDS[name]
    column = pa.array(["before", *texts], pa.string()).slice(1)  # as a part of a longer one
    CONNECTION.register("given_texts", pa.table({"t": column}))
    told = CONNECTION.execute(
        f"select v, v::varchar as again from (select {convert.value('t', declared)} as v from given_texts)"
    ).to_arrow_table()
    mask = stands(column, declared)
    for cell, again, standing in zip(texts, told["again"].to_pylist(), mask, strict=True):
        assert not standing or again == cell is not None
    assert values(column, mask, declared).equals(pc.if_else(pa.array(mask), told["v"].combine_chunks(), None))


def test_ordinary_cells_stand() -> None:
    ordinary = {
        "whole": ["0", "17", None],
        "two": ["0.50", "1234.00", None],
        "none": ["12"],
        "seven": ["1.0000000"],
        "day": ["2026-03-01", None],
    }
    for name, cells in ordinary.items():
        assert stands(pa.array(cells, pa.string()), FIELDS[name]).tolist() == [cell is not None for cell in cells]


@given(st.lists(st.integers(0, (1 << 64) - 1), max_size=200), st.integers(0, 200))
def test_a_hash_that_was_seen_is_known(hashes: list[int], cut: int) -> None:
    seen = Hashes(first=16)
    for end in (cut, len(hashes)):
        seen.add(np.array(hashes[:end], np.uint64))
        assert seen.have(np.array(hashes[:end], np.uint64)).all()


@given(st.lists(st.one_of(st.integers(0, 30), st.integers(0, (1 << 64) - 1)), max_size=200))
def test_hashes_that_stand_twice_in_a_chunk_are_found(hashes: list[int]) -> None:
    assert twice(np.array(hashes, np.uint64)).tolist() == [hashes.count(each) > 1 for each in hashes]


def test_hardly_any_other_hash_is_taken_for_one_that_was_seen() -> None:
    chance = np.random.default_rng(1)
    seen = Hashes(first=1 << 10)
    seen.add(chance.integers(0, 1 << 64, 100_000, np.uint64))
    assert seen.have(chance.integers(0, 1 << 64, 100_000, np.uint64)).sum() < 3


def read(path: Path, text: str) -> list[Chunk]:
    path.write_text(text, "utf-8")
    return list(readers.read(path))


def told(chunk: Chunk) -> tuple[Any, ...]:
    every = range(chunk.columns.num_rows)
    return chunk.columns.to_pydict(), chunk.line.to_pylist(), list(chunk.broken), chunk.raw(every), dict(chunk.left_out), chunk.file_rows


@pytest.mark.parametrize(
    "rows",
    [
        ["1,甲,x", "2,乙,y"],
        ["1,甲,x", "", "2,乙,y"],  # a blank line
        ["1,甲,x", "2,乙", "3,丙,z,", "4,丁,u,v"],  # too few, a comma too many, too many
        ["1,甲,x", "合计,,2", "编号,名称,备注", ",,", "5,戊,w"],
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_plain_lines_are_read_as_tokenized_ones(tmp_path: Path, rows: list[str], end: str) -> None:
    lines = ["编号,名称,备注", *rows, "9,末,\u3000 "]
    (plain_one,) = read(tmp_path / "plain.csv", "\n".join(lines) + end)
    (quoted_one,) = read(tmp_path / "quoted.csv", "\n".join([*lines[:-1], '9,"末",\u3000 ']) + end)
    a, b = told(plain_one), told(quoted_one)
    assert (a[0], a[1], a[2], a[4], a[5]) == (b[0], b[1], b[2], b[4], b[5])
    assert [each.replace('"', "") for each in b[3]] == a[3]
    assert plain_one.position["offset"] == len(("\n".join(lines) + end).encode())
