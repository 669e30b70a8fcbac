"""Hashing whole columns gives what hashing value by value gives."""

import hashlib

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from haitang.support.security.evidence import columns, merkle

texts = st.lists(st.binary(max_size=200), max_size=80)


@settings(deadline=None)  # the first one makes the engine
@given(texts, st.integers(0, 5), st.booleans())
def test_digests_are_those_of_each_value(values: list[bytes], first: int, chunked: bool) -> None:
    column = pa.array([*[b"before"] * first, *values], pa.binary()).slice(first)
    given = pa.chunked_array([column[: len(values) // 2], column[len(values) // 2 :]], pa.binary()) if chunked else column
    assert [bytes(each) for each in columns.digests(given)] == [hashlib.sha256(value).digest() for value in values]


@settings(deadline=None)
@given(texts, st.integers(2, 33))
def test_the_root_is_that_of_the_tree(values: list[bytes], arity: int) -> None:
    leaves = [hashlib.sha256(value).digest() for value in values]
    given = np.frombuffer(b"".join(leaves), np.uint8).reshape(-1, columns.SIZE)
    assert columns.root(given, arity) == merkle.root(leaves, arity=arity)


def test_a_column_of_many_batches_keeps_its_order() -> None:
    values = [str(number).encode() for number in range(30_000)]
    assert [bytes(each) for each in columns.digests(pa.array(values))] == [hashlib.sha256(value).digest() for value in values]


def test_what_was_hashed_is_kept_by_nobody() -> None:
    columns.digests(pa.array([b"first"]))
    before = pa.total_allocated_bytes()
    for _ in range(3):
        columns.digests(pa.array([b"x" * 1000] * 5000))
    assert pa.total_allocated_bytes() - before < 1_000_000
