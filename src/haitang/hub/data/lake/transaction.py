"""One transaction of the lake's writer: files are on disk before the catalogue names them."""

from collections.abc import Iterator
from contextlib import contextmanager
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
        try:
            connection.execute("rollback")
        except Exception:  # noqa: S110  a failed commit has ended the transaction already; the first error is the one to tell
            pass
        raise
