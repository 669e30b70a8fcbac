"""Tables of the business platform that indicators may read: a higher room offers one in its `AppConfig.ready`.

register("cases", "select number, case_kind as kind, ... from cases_case", columns=[...])
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Relation:
    """A read-only relation of PostgreSQL. `sql` gives it, `columns` name what it gives; `time` orders its rows, newest first.

    `read`: the permission that shows its rows, for every organization at once, since a relation is not cut to one.
    """

    name: str
    sql: str
    columns: tuple[str, ...]
    time: str
    read: str


registered: dict[str, Relation] = {}


def register(relation: Relation) -> None:
    """Offer a relation under its name."""
    if relation.name in registered and registered[relation.name] != relation:
        raise RuntimeError(f"relation {relation.name} is registered twice")
    registered[relation.name] = relation
