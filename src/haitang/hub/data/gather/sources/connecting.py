"""Opens a source's database for reading only, in one consistent snapshot, and reads rows through a cursor that stays on the server.

PostgreSQL (psycopg), MySQL and MariaDB (PyMySQL), SQLite. Nothing that is raised or logged holds the password.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pymysql
import pymysql.cursors

from haitang.base.settings import settings
from haitang.hub.data.gather import faults

Engine = Literal["postgresql", "mysql", "sqlite"]
_ENGINES: dict[str, Engine] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
_PATIENCE = 10  # seconds to connect
_AT_ONCE = 5_000  # rows a round trip
_DRIVER_ERRORS = (psycopg.Error, pymysql.MySQLError, sqlite3.Error, OSError)


@dataclass(frozen=True)
class Address:
    """Where a database is. `password` never shows in a representation."""

    engine: Engine
    host: str
    port: int | None
    user: str
    database: str
    source: str
    _password: str

    def __repr__(self) -> str:
        return f"{self.engine}://{self.user}@{self.host}:{self.port or ''}/{self.database}"

    __str__ = __repr__

    def scrubbed(self, failure: BaseException) -> str:
        """What the driver says, without the password in any spelling."""
        told = str(failure)
        for spelling in {self._password, quote(self._password, safe="")} - {""}:
            told = told.replace(spelling, "***")
        return " ".join(told.split())[:500]


def address_of(url: str, source: str, password: str = "") -> Address:
    """An address as declared, with the password that was stored for the source; one within an `env:` setting counts where none is stored."""
    if url.startswith("env:"):
        name = url.removeprefix("env:")
        url = os.environ.get(name, "")
        if not url:
            raise faults.NO_SETTING(source=source, name=name)
    parts = urlsplit(url)
    if parts.scheme not in _ENGINES:
        raise faults.UNKNOWN_DATABASE(source=source)
    try:
        port = parts.port
    except ValueError:
        raise faults.UNKNOWN_DATABASE(source=source) from None
    engine = _ENGINES[parts.scheme]
    path = unquote(parts.path)
    if engine == "sqlite":
        file = Path(path[1:]) if path.startswith("//") else settings().data / path.removeprefix("/")
        return Address(engine, "", None, "", str(file), source, "")
    told = password or unquote(parts.password or "")
    return Address(engine, parts.hostname or "", port, unquote(parts.username or ""), path.removeprefix("/"), source, told)


@dataclass
class Reading:
    """A connection within its transaction: `columns` and rows of one statement at a time."""

    address: Address
    _connection: Any
    _cursors: list[Any] = field(default_factory=list)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> tuple[list[str], Iterator[Sequence[Sequence[Any]]]]:
        """Names of the columns, and batches of rows fetched as they are asked for."""
        if self.address.engine == "postgresql":
            cursor = self._connection.cursor(name=f"haitang_{len(self._cursors)}")
            cursor.itersize = _AT_ONCE
            cursor.execute(statement, list(values) or None)
        elif self.address.engine == "mysql":
            cursor = self._connection.cursor(pymysql.cursors.SSCursor)
            cursor.execute(statement, list(values) or None)
        else:
            cursor = self._connection.execute(statement, list(values))
        self._cursors.append(cursor)
        return [column[0] for column in cursor.description], self._batches(cursor)

    def _batches(self, cursor: Any) -> Iterator[Sequence[Sequence[Any]]]:
        while rows := cursor.fetchmany(_AT_ONCE):
            yield rows

    def close(self) -> None:
        """Cursors before their connection: what is unread of them is given up."""
        for cursor in self._cursors:
            with suppress(*_DRIVER_ERRORS):
                cursor.close()

    def name(self, identifier: str) -> str:
        """A name, or names with points between them, quoted."""
        mark = "`" if self.address.engine == "mysql" else '"'
        return ".".join(mark + part.replace(mark, mark * 2) + mark for part in identifier.split("."))

    def where_from(self, base: str, column: str) -> str:
        """`base`, only rows whose column is not below a value that is passed, or is missing."""
        if self.address.engine == "sqlite":
            return f"{base} where {column} >= ? or {column} is null"
        return f"{base} where {column} >= %s or {column} is null".replace("%", "%%").replace("%%s or", "%s or")

    @property
    def version(self) -> str:
        if self.address.engine == "sqlite":
            return f"SQLite {sqlite3.sqlite_version}"
        _, batches = self.rows("select version()")
        told = str(next(iter(batches))[0][0])
        list(batches)
        return told if self.address.engine == "postgresql" else f"MySQL {told}"


@contextmanager
def reading(address: Address) -> Iterator[Reading]:
    """A read-only transaction with one snapshot; raises NOT_CONNECTED, or NOT_READ for what fails within."""
    try:
        connection = _OPEN[address.engine](address)
    except _DRIVER_ERRORS as failure:
        raise faults.NOT_CONNECTED(source=address.source, why=address.scrubbed(failure)) from None
    try:
        with closing(connection), closing(Reading(address, connection)) as opened:
            yield opened
    except _DRIVER_ERRORS as failure:
        raise faults.NOT_READ(source=address.source, why=address.scrubbed(failure)) from None


def _postgresql(address: Address) -> Any:
    connection = psycopg.connect(
        host=address.host, port=address.port or 5432, user=address.user, password=address._password, dbname=address.database,
        connect_timeout=_PATIENCE, application_name="haitang",
    )  # fmt: skip
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _mysql(address: Address) -> Any:
    password = address._password.encode()  # PyMySQL would take text for Latin-1
    connection = pymysql.connect(
        host=address.host, port=address.port or 3306, user=address.user, password=password, database=address.database,
        charset="utf8mb4", connect_timeout=_PATIENCE,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("start transaction with consistent snapshot, read only")
    return connection


def _sqlite(address: Address) -> Any:
    connection = sqlite3.connect(f"file:{quote(str(Path(address.database)))}?mode=ro", uri=True, timeout=_PATIENCE, check_same_thread=False)
    connection.execute("begin")
    return connection


_OPEN = {"postgresql": _postgresql, "mysql": _mysql, "sqlite": _sqlite}
