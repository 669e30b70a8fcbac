"""gunicorn's thread worker, whose threads stay with a connection for a moment.

The front sends the next request over the connection that was answered last. Handing a connection back to the worker's main thread, which waits for it to be
readable and hands it to a thread again, takes as long as a third of a small request.
"""

import select
import time
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

STAYS = 5  # milliseconds; nobody waits for a thread meanwhile
YIELDS = 0.001  # seconds


class StayingWorker(ThreadWorker):  # type: ignore[misc]
    """Handles what comes next on a connection in the same thread, as long as it comes at once and no other connection waits for a thread."""

    def accept(self, listener: Any) -> None:
        """A worker that is busy leaves a new connection to one that is not: it will stay with whoever takes it."""
        if self.nr_conns > len(self.keepalived_conns):
            time.sleep(YIELDS)
        super().accept(listener)

    def handle(self, conn: Any) -> Any:
        """True: the connection is kept alive. Anything else is gunicorn's own."""
        kept = super().handle(conn)
        while kept is True and self.alive and not self.tpool._work_queue.qsize() and _comes(conn):
            kept = super().handle(conn)
        return kept


def _comes(conn: Any) -> bool:
    """Whether the next request begins while we stay. What was read of it already is gunicorn's to find."""
    if conn.parser.unreader.buf.getvalue():
        return False
    poll = select.poll()
    poll.register(conn.sock, select.POLLIN)
    return bool(poll.poll(STAYS))
