"""Django's PostgreSQL, in two things otherwise.

Whether a connection still stands is first asked of its socket: a server that ended a connection has closed it, so there is something to read where nothing is to be read
from an idle one. Only then is the server asked; it need not answer `SELECT 1` before each request.

Many rows are written in as many statements as their values need, since the server binds them.
"""

import select
from collections.abc import Sequence
from typing import Any

from django.db.backends.postgresql import base, operations

from haitang.base.postgresql import sessions

MOST = 65_535  # values of one statement whose values are bound by the server (protocol 3.0, Bind: a 16-bit number of them)


class Operations(operations.DatabaseOperations):
    """Django believes that PostgreSQL takes any number of values."""

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """How many of these objects fit into one statement."""
        return max(1, min(len(objs), MOST // max(1, len(fields))))


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend that the settings name; Django looks for this name in this module."""

    ops_class = Operations

    def get_connection_params(self) -> dict[str, Any]:
        """With the name of our sessions, asked for in the process that opens them."""
        return {"application_name": sessions.name(), **super().get_connection_params()}

    def is_usable(self) -> bool:
        """Whether the connection can be used for the next request."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return bool(super().is_usable()) if poll.poll(0) else True
