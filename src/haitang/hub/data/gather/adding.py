"""A part whose rows are all new becomes a file of the lake as it is: nothing is read or written again.

Only the block is not known when a part is written. The file is linked under the folder `block=<n>`, from whose name DuckLake takes that column.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from haitang.base.settings import settings
from haitang.hub.data.catalogue.tables import OWN
from haitang.hub.data.lake.connection import quoted
from haitang.hub.data.lake.s3 import is_s3

FEW = 1000  # rows that are cheaper inserted, with what else is small, than kept as a file of their own


def link(part: Path, table: str, block: int) -> Path | None:
    """Give the file `part` the place that it has in the lake as one of `table`; None where that cannot be: on S3, on another file system."""
    if is_s3(settings().lake_path):
        return None
    to = Path(settings().lake_path).absolute() / "main" / table / f"block={block}" / part.name
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.unlink(missing_ok=True)  # from a transaction that was not committed
        os.link(part, to)
    except OSError:
        return None
    return to


def add(connection: Any, files: Sequence[Path], table: str) -> None:
    """Make files that are linked ones of `table`, in the running transaction."""
    named = ", ".join(quoted(file) for file in files)
    connection.execute(
        f"call ducklake_add_data_files('lake', {quoted(table)}, [{named}], hive_partitioning => true, allow_missing => true)"
    )


def alike(connection: Any, part: Path, stored: Mapping[str, str]) -> bool:
    """Whether the part has the columns that the lake adds, and each of its columns the type of the table's, whose columns have the types `stored`."""
    given = dict(connection.execute(f"select column_name, column_type from (describe from read_parquet({quoted(part)}))").fetchall())
    if not {*OWN} - {"block"} <= given.keys():
        return False
    return all(stored.get(name) == type for name, type in given.items())
