"""Whether a table of the lake has changed since it was last asked: one look at the catalogue, so that what was worked out from a table may be kept for as long as it holds.

Every commit to the lake is a snapshot with a number that grows by one, and says which tables it touched (DuckLake, `ducklake_snapshot_changes`). A version is the number of the
last snapshot that changed the table's rows or columns: upkeep that writes the same rows into other files changes neither. Snapshots that expired before they were seen count as
changing every table.
"""

import os
import re
import threading
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from haitang.base.settings import settings
from haitang.hub.data.lake.connection import CATALOGUE

_TOUCHED = re.compile(r"([a-z_]+):(\d+|\")")
_SAME_ROWS = frozenset(("merge_adjacent", "rewrite_delete", "inline_flush"))
_NAMING = ("created", "dropped", "altered")
_NEW = f"""select snapshot_id, coalesce(changes_made, '') from {CATALOGUE}.ducklake_snapshot
           left join {CATALOGUE}.ducklake_snapshot_changes using (snapshot_id) where snapshot_id > %s order by snapshot_id"""
_NEWEST = f"select coalesce(max(snapshot_id), 0) from {CATALOGUE}.ducklake_snapshot"
_TABLE = f"select table_id, begin_snapshot from {CATALOGUE}.ducklake_table where table_name = %s and end_snapshot is null order by table_id desc limit 1"


class Version(NamedTuple):
    """`rows`: the last snapshot that changed the table; `columns`: the last that changed what columns it has."""

    rows: int
    columns: int


@dataclass
class _Seen:
    """What this process has seen of one catalogue. `every`: the last snapshot that concerns all tables; `found`: name of a table -> its number and the snapshot that made it."""

    last: int
    every: int
    tables: dict[int, int] = field(default_factory=dict)
    found: dict[str, tuple[int, int]] = field(default_factory=dict)
    altered: dict[int, int] = field(default_factory=dict)

    def take(self, snapshots: list[tuple[int, str]]) -> None:
        for number, changes in snapshots:
            if number <= self.last:  # another thread was first
                continue
            touched = _TOUCHED.findall(changes)
            if number != self.last + 1:
                self.every, self.found = number, {}
            if any(what.startswith(_NAMING) for what, _ in touched):
                self.found = {}
            for what, of in touched:
                if of.isdigit() and what not in _SAME_ROWS:
                    self.tables[int(of)] = number
                    if what.startswith(_NAMING):
                        self.altered[int(of)] = number
            self.last = number

    def version(self, table: int, made: int) -> "Version":
        least = max(self.every, made)
        return Version(max(least, self.tables.get(table, 0)), max(least, self.altered.get(table, 0)))


_seen: dict[tuple[int, str], _Seen] = {}
_lock = threading.Lock()
_local = threading.local()


def version(table: str) -> Version | None:
    """The version of a table of the lake; None where it is not there. Ask before reading: what is read is then at least as new."""
    try:
        return _asked(_connection(), table)
    except psycopg.errors.UndefinedTable:  # the writer has not made the lake yet
        return None
    except psycopg.OperationalError:  # the database was restarted under it
        _local.connection = None
        return _asked(_connection(), table)


def _asked(catalogue: Any, table: str) -> Version | None:
    seen = _seen.get(_key())
    if seen is None:
        newest = catalogue.execute(_NEWEST).fetchone()[0]
        with _lock:
            seen = _seen.setdefault(_key(), _Seen(newest, newest))
    new = catalogue.execute(_NEW, [seen.last]).fetchall()
    if new:
        with _lock:
            seen.take(new)
    found = seen.found.get(table)
    if found is None:
        row = catalogue.execute(_TABLE, [table]).fetchone()
        if row is None:
            return None
        found = seen.found[table] = (int(row[0]), int(row[1]))
    return seen.version(*found)


def _key() -> tuple[int, str]:
    return os.getpid(), settings().database_url


def _connection() -> Any:
    """This thread's own, so that no transaction of the caller's hides what was committed since."""
    kept = getattr(_local, "connection", None)
    if kept is None or kept[0] != _key() or kept[1].closed:
        kept = _local.connection = (_key(), psycopg.connect(settings().database_url, autocommit=True, connect_timeout=5))
    return kept[1]
