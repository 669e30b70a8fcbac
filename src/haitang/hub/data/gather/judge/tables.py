"""Rows of Arrow tables: chosen, replaced, in order."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

PLACE = "_n"  # a column: the position of a row in its chunk. No field begins with `_`


def in_order(found: Any) -> Any:
    """DuckDB keeps the order of what it is given; nothing promises it for every plan."""
    return found.sort_by(PLACE) if (np.diff(found[PLACE].to_numpy()) < 0).any() else found


def replaced(found: Any, rows: Any, by: Any, names: list[str]) -> Any:
    """An Arrow table with the values of these columns in these rows replaced by those of another table, which has a row for each."""
    mask = np.zeros(len(found), bool)
    mask[rows] = True
    for name in names:
        column = pc.replace_with_mask(found[name].combine_chunks(), pa.array(mask), by[name].combine_chunks())
        found = found.set_column(found.schema.get_field_index(name), name, column)
    return found


def kept(found: Any, mask: Any) -> Any:
    """Rows of an Arrow table, column by column: `Table.filter` takes twice as long."""
    chosen = pa.array(mask)
    return pa.table({name: column.filter(chosen) for name, column in zip(found.column_names, found.columns, strict=True)})


def without(found: Any, excluded: list[int]) -> Any:
    """The rows of an Arrow table whose place is none of these."""
    if not excluded:
        return found
    return kept(found, ~np.isin(found[PLACE].to_numpy(), excluded))
