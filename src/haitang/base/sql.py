"""Statements that are asked in nearly every request, written out: Django need not put them together anew each time, and PostgreSQL has them prepared."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from django.db.models import Model

M = TypeVar("M", bound="Model")


def rows(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement of SQL with `%s` for each of `values`, on Django's connection and in its transaction."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return cursor.fetchall()  # type: ignore[no-any-return]


def insert(table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
    """Write records, each the values of `columns` in their order, in one statement."""
    given = [list(record) for record in records]
    _do(_insertion(table, columns, len(given)), [value for record in given for value in record])


def columns(model: "type[Model]", of: str = "") -> str:
    """The columns of a model as `read` wants them, of the table `of` (its name and a point)."""
    return ", ".join(f"{of}{column}" for column in _shape(model)[1])


def read(model: type[M], row: Sequence[Any]) -> M:
    """An instance out of a row of `columns(model)`."""
    names, _, json_at = _shape(model)
    if json_at:
        row = [json.loads(value) if place in json_at and isinstance(value, str) else value for place, value in enumerate(row)]
    return model.from_db("default", names, row)


def add(*instances: "Model") -> None:
    """Write new instances of one model in one statement; those that PostgreSQL numbers get their numbers."""
    if not instances:
        return
    model = type(instances[0])
    names, fields, _ = _shape(model)
    key = model._meta.pk.attname
    numbered = getattr(instances[0], key) is None
    written = [place for place, name in enumerate(names) if not (numbered and name == key)]
    statement = _insertion(model._meta.db_table, [fields[place] for place in written], len(instances))
    values = [_told(model, place, instance) for instance in instances for place in written]
    if numbered:
        for instance, (number,) in zip(instances, rows(f"{statement} returning {fields[names.index(key)]}", values), strict=True):
            setattr(instance, key, number)
    else:
        _do(statement, values)
    for instance in instances:
        instance._state.adding, instance._state.db = False, "default"


def change(instance: "Model", *changed: str) -> None:
    """Write these fields (by their attributes: `run_id`) of an instance that is there."""
    model = type(instance)
    names, fields, _ = _shape(model)
    told = [names.index(name) for name in changed]
    key = names.index(model._meta.pk.attname)
    statement = f"update {model._meta.db_table} set {', '.join(f'{fields[place]} = %s' for place in told)} where {fields[key]} = %s"  # noqa: S608 - names of a model
    _do(statement, [_told(model, place, instance) for place in (*told, key)])


def _insertion(table: str, columns: Sequence[str], count: int) -> str:
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * count)
    return f"insert into {table} ({', '.join(columns)}) values {places}"  # noqa: S608 - names of a model, values apart


@cache
def _shape(model: "type[Model]") -> tuple[list[str], list[str], frozenset[int]]:
    """Attributes, columns, and which of them hold JSON."""
    from django.db.models import JSONField

    found = model._meta.concrete_fields
    json_at = frozenset(place for place, field in enumerate(found) if isinstance(field, JSONField))
    return [field.attname for field in found], [field.column for field in found], json_at


def _told(model: "type[Model]", place: int, instance: "Model") -> Any:
    from psycopg.types.json import Jsonb

    names, _, json_at = _shape(model)
    value = getattr(instance, names[place])
    return Jsonb(value) if place in json_at else value


def _do(statement: str, values: Sequence[Any]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
