"""functions.py of an application as functions of DuckDB.

Every public function whose parameters and result are annotated with Arrow array types is one; it is called with whole columns:

    def air_quality_index(hour: pa.TimestampArray, pm2_5: pa.DoubleArray) -> pa.Int64Array
"""

import inspect
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any, get_type_hints

import pyarrow as pa

from haitang.base.errors import error

NO_FUNCTION = error("derive.no_function", 400, "应用 {owner} 的 functions.py 没有函数 {name}。")
NOT_TYPED = error("derive.function_not_typed", 400, "functions.py 的函数 {name}：{part} 需要注明 Arrow 数组类型，例如 pa.DoubleArray。")

TYPES: dict[Any, str] = {
    pa.DoubleArray: "DOUBLE",
    pa.Int64Array: "BIGINT",
    pa.Int32Array: "INTEGER",
    pa.BooleanArray: "BOOLEAN",
    pa.StringArray: "VARCHAR",
    pa.Date32Array: "DATE",
    pa.TimestampArray: "TIMESTAMPTZ",
}


def function(module: ModuleType | None, owner: str, name: str) -> Callable[..., Any]:
    """The function `name` of functions.py; raises NO_FUNCTION."""
    found = getattr(module, name, None) if module and not name.startswith("_") else None
    if not inspect.isfunction(found):
        raise NO_FUNCTION(owner=owner, name=name)
    return found


def signature(found: Callable[..., Any]) -> tuple[list[str], str]:
    """The DuckDB types of a function's parameters and result; raises NOT_TYPED."""
    hints = get_type_hints(found)
    parts = [*inspect.signature(found).parameters, "return"]
    for part in parts:
        if hints.get(part) not in TYPES:
            raise NOT_TYPED(name=found.__name__, part=part)
    types = [TYPES[hints[part]] for part in parts]
    return types[:-1], types[-1]


def register(connection: Any, module: ModuleType | None, owner: str, name: str) -> str:
    """Make a function known to a DuckDB connection and return its name there, which is of this version of this owner alone."""
    found = function(module, owner, name)
    known = f"{name}__{found.__module__.rpartition('_')[2]}__{owner}"
    if connection.execute("select 1 from duckdb_functions() where function_name = ? limit 1", [known]).fetchone() is None:
        parameters, result = signature(found)
        connection.create_function(known, _whole(found), parameters, result, type="arrow", null_handling="special")
    return known


def _whole(found: Callable[..., Any]) -> Callable[..., Any]:
    """DuckDB hands over chunked columns; functions.py is written for arrays."""

    @wraps(found)
    def run(*columns: Any) -> Any:
        return found(*(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns))

    return run
