"""Rules that need no value, only the text of a cell: asked of a whole column at once. DuckDB takes as long for three of them as for turning the text into a value."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haitang.hub.data.catalogue.kinds import ResourceField
from haitang.hub.data.gather.judge import shapes
from haitang.hub.data.gather.judge.rules import Rule

FAULTY = "_faulty"  # a column of cells: the row breaks one of these rules


def answer(rule: Rule, text: Any, declared: ResourceField) -> Any:
    """A mask of the cells of an Arrow array of trimmed text that break a rule."""
    match rule.code:
        case "required":
            return pc.is_null(text)
        case "pattern":
            shape = shapes.shaped(declared)
            assert shape
            return pa.array(shapes.misfits(text, shape))
        case "length":
            length = pc.utf8_length(text)
            return pc.fill_null(pc.or_(pc.less(length, rule.data["low"]), pc.greater(length, rule.data["high"])), False)
        case "code_table":
            assert rule.allowed is not None
            return pc.and_(pc.is_valid(text), pc.invert(pc.is_in(text, pa.array(list(rule.allowed), text.type))))
        case _:
            raise NotImplementedError(rule.code)


def faulty(cells: Mapping[str, Any], rules: Iterable[Rule], rows: int) -> Any:
    """Which rows break one of these rules, whose masks stand in `cells`."""
    found = pa.array(np.zeros(rows, bool))
    for rule in rules:
        found = pc.or_(found, cells[rule.mask])
    return found
