"""One transaction of the lake's writer: files are on disk before the catalogue names them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from haitang.hub.data.lake import durable


@contextmanager
def transaction(connection: Any, *tables: str) -> Iterator[None]:
    """Begin; at the end fsync what was written for `tables` (all when none is named), then commit. Rolls back on any error."""
    since = durable.mark()
    connection.execute("begin")
    try:
        yield
        durable.sync(since, *tables)
        connection.execute("commit")
    except BaseException:
        with suppress(Exception):  # a failed commit has ended the transaction already; the first error is the one to tell
            connection.execute("rollback")
        raise
