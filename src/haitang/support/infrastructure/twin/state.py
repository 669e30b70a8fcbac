"""How the twin follows the lake.

It is not an action of anybody: the rows are covered by their evidence block, and the twin can be made again from them. One statement a batch; a reading
gives way to one of a newer period, and to one of the same period that was received later.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from haitang.support.infrastructure.stream.messages import Observation

_COLUMNS = (
    ("thing", "text"), ("property", "text"), ("statistic", "text"), ("node", "text"), ("unit", "text"), ("quality", "text"), ("origin", "text"),
    ("source_ref", "text"), ("period_start", "timestamptz"), ("period_end", "timestamptz"), ("received_at", "timestamptz"),
    ("number", "float8"), ("text", "text"), ("boolean", "bool"), ("geometry", "text"),
)  # fmt: skip
_NAMES = ", ".join(f'"{name}"' for name, _ in _COLUMNS)
_UPSERT = f"""
    insert into twin_reading as old ({_NAMES})
    select * from unnest({", ".join(f"%s::{type}[]" for _, type in _COLUMNS)})
    on conflict (thing, property, statistic) do update set {", ".join(f'"{name}" = excluded."{name}"' for name, _ in _COLUMNS[3:])}
    where (excluded.period_end, excluded.period_start, excluded.received_at) > (old.period_end, old.period_start, old.received_at)
    returning thing"""  # noqa: S608  column names from the table above

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _clean(text: str | None) -> str | None:
    """PostgreSQL text holds no NUL; the lake keeps it."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if text and "\0" in text else text


def newest(readings: Iterable[tuple[str, Observation]]) -> dict[tuple[str, str, str], Observation]:
    """Of (declared statistic, observation) pairs the newest of each thing, property and statistic."""
    found: dict[tuple[str, str, str], Observation] = {}
    for statistic, row in readings:
        key = (row.thing, row.property, statistic)
        old = found.get(key)
        if old is None or (row.period_end, row.period_start, row.received_at) > (old.period_end, old.period_start, old.received_at):
            found[key] = row
    return found


def _row(statistic: str, row: Observation) -> tuple[Any, ...]:
    return (
        _clean(row.thing), _clean(row.property), statistic, _clean(row.node), _clean(row.unit), _clean(row.quality), row.origin, _clean(row.source_ref),
        _instant(row.period_start), _instant(row.period_end), _instant(row.received_at),
        row.number, _clean(row.text), row.boolean, _clean(row.geometry),
    )  # fmt: skip


def update(connection: Any, readings: Iterable[tuple[str, Observation]], block: int) -> set[str]:
    """Bring the twin up to `block` of the lake in one transaction of a psycopg connection; returns the things whose state changed."""
    rows = [_row(statistic, row) for (_, _, statistic), row in sorted(newest(readings).items())]
    with connection.transaction():
        changed = connection.execute(_UPSERT, [list(column) for column in zip(*rows, strict=True)]).fetchall() if rows else []
        connection.execute(
            "insert into twin_position as old values (1, %s) on conflict (id) do update set block = greatest(old.block, excluded.block)",
            [block],
        )
    return {thing for (thing,) in changed}


def position(connection: Any) -> int:
    """The last block of the lake that the twin has seen."""
    row = connection.execute("select block from twin_position where id = 1").fetchone()
    return row[0] if row else 0
