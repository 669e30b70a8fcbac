"""What a row must be compared with outside of itself: values of other resources, values that other rows hold already."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from haitang.hub.data.catalogue.kinds import Resource
from haitang.hub.data.catalogue.tables import name_of, stored_columns
from haitang.hub.data.gather.judge.tables import PLACE


class Lookups(Protocol):
    """Asked once a chunk for each such field."""

    def missing(self, resource: str, field: str, values: Any) -> Any:
        """Those of `values` (an Arrow array of text) that no row of the resource has in the field."""
        ...

    def taken(self, resource: Resource, field: str, rows: Any) -> Any:
        """Places of `rows` (an Arrow table: place, the key, the field) whose value a row of the resource with another key has."""
        ...


class Nothing:
    """Nothing is stored, and every reference is found in what is given: for spec tables and previews without a lake."""

    def __init__(self, known: Mapping[str, Sequence[str]] | None = None) -> None:
        self.known = known or {}

    def missing(self, resource: str, field: str, values: Any) -> Any:
        known = self.known.get(f"{resource}.{field}")
        return pa.array([v for v in values.to_pylist() if known is not None and v not in set(known)], pa.string())

    def taken(self, resource: Resource, field: str, rows: Any) -> Any:
        return pa.array([], pa.int64())


class InLake:
    """The lake as it is now."""

    def missing(self, resource: str, field: str, values: Any) -> Any:
        def ask(lake: Any) -> Any:
            if field not in stored_columns(lake, name_of(resource)):
                return values
            lake.register("asked", pa.table({"v": values}))
            try:
                return lake.execute(
                    f'select v from asked where v not in (select "{field}"::varchar from lake.{name_of(resource)} where "{field}" is not null)'
                ).to_arrow_table()["v"]
            finally:
                lake.unregister("asked")

        return _on_lake(ask)

    def taken(self, resource: Resource, field: str, rows: Any) -> Any:
        def ask(lake: Any) -> Any:
            if field not in stored_columns(lake, name_of(resource.id)):
                return pa.array([], pa.int64())
            lake.register("asked", rows)
            other = " or ".join(f'stored."{name}" is distinct from asked."{name}"' for name in resource.key)
            try:
                return lake.execute(
                    f'select distinct {PLACE} from asked join lake.{name_of(resource.id)} as stored on stored."{field}" = asked."{field}" and ({other})'
                ).to_arrow_table()[PLACE]
            finally:
                lake.unregister("asked")

        return _on_lake(ask)


def _on_lake(ask: Callable[[Any], Any]) -> Any:
    """On this thread's reader; imported late, because checks and spec tables run without a database."""
    from haitang.hub.data.lake.queries import on_reader

    return on_reader(ask)
