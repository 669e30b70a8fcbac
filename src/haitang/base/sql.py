"""Statements that are asked in nearly every request, written out: Django need not put them together anew each time, and PostgreSQL has them prepared."""

from collections.abc import Iterable, Sequence
from typing import Any


def rows(statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a statement of SQL with `%s` for each of `values`, on Django's connection and in its transaction."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        return cursor.fetchall()  # type: ignore[no-any-return]


def insert(table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> None:
    """Write records, each the values of `columns` in their order, in one statement."""
    from django.db import connection

    given = [list(record) for record in records]
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(given))
    with connection.cursor() as cursor:
        statement = f"insert into {table} ({', '.join(columns)}) values {places}"  # noqa: S608 - names of a model, values apart
        cursor.execute(statement, [value for record in given for value in record])
