"""Django's PostgreSQL, but whether a connection still stands is first asked of its socket: the server need not answer `SELECT 1` before each request.

A server that ended a connection has closed it, so there is something to read where nothing is to be read from an idle one. Only then is the server asked.
"""

import select
from typing import Any

from django.db.backends.postgresql import base

from haitang.base.postgresql import sessions


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend that the settings name; Django looks for this name in this module."""

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
