"""Gathers and lands for the browser's district, which has no stream and so no writer: `python -m tests.browser.gathering` under its environment."""

import threading
import time

READY = "gathers"  # a file of the data directory that says that it does


def main() -> None:
    from haitang.server.boot import boot

    boot()
    from haitang.base.settings import settings
    from haitang.hub.data.gather import landing, process
    from haitang.hub.data.lake import connection, schema

    lake, stop = connection.writer(), threading.Event()
    schema.ensure(lake)
    (settings().data / READY).touch()
    while True:
        busy = process.once(stop)
        landing.follow(lake, 0)
        time.sleep(0 if busy else 0.1)


if __name__ == "__main__":
    main()
