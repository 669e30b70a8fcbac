"""Rows of the lake are shown with proofs in the tree that their block was made with, that of an earlier release too."""

from pathlib import Path
from typing import Any

import pytest

from haitang.hub.data.lake.canonical import canonical
from haitang.hub.data.lake.writer import Writer
from haitang.server.evidence_of_case import _proved
from haitang.support.security.evidence import merkle
from tests.hub.data.fresh import HOUR, START, batch, fresh_lake, reading

ROWS = [reading(float(n), at=START + n * HOUR) for n in range(37)]


@pytest.mark.parametrize("arity", [2, 16])
def test_a_row_is_proved_in_the_tree_of_its_block(tmp_path: Path, db: None, arity: int) -> None:
    with fresh_lake(tmp_path) as lake:
        Writer(lake, "s").write([(1, batch(*ROWS))])
        if arity == 2:
            _as_of_an_earlier_release(lake)
        ((root,),) = lake.execute("select root from lake.blocks").fetchall()
        for row in _proved(1, [0, 20, 36]):
            proof = [bytes.fromhex(step) for step in row.proof]
            leaf = merkle.leaf_hash(row.text.encode())
            assert merkle.verify_inclusion(leaf, row.index, len(ROWS), proof, bytes.fromhex(root), arity=arity)


def _as_of_an_earlier_release(lake: Any) -> None:
    root = merkle.root([merkle.leaf_hash(canonical(row)) for row in ROWS]).hex()
    lake.execute("update lake.blocks set arity = null, root = ?", [root])
