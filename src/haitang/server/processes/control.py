"""The control plane: Django under gunicorn, each process on a Unix socket of its own that the front alone talks to."""

import gc
import logging
import os
import threading
from collections import Counter
from collections.abc import Iterable
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from haitang.base.settings import settings
from haitang.server import beat, telemetry
from haitang.server.front.passing import THREADS, sockets

OWN_SIGNALS = True
GARBAGE_AT = 20_000  # objects; a request makes a few thousand, nearly all of which go with their last reference


class Control(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; workers are threads in a few processes."""

    def load_config(self) -> None:
        for name, value in _config().items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from django.core.wsgi import get_wsgi_application

        return get_wsgi_application()


def _config() -> dict[str, Any]:
    s = settings()
    return {
        "bind": [f"unix:{socket}" for socket in sockets()],
        "umask": 0o077,
        "workers": s.web_workers,
        "worker_class": "gthread",
        "threads": THREADS,
        "timeout": 60,
        "graceful_timeout": 5,
        "keepalive": 75,
        "max_requests": 20000,
        "max_requests_jitter": 2000,
        "forwarded_allow_ips": "*",  # only the front can reach the socket
        "worker_tmp_dir": str(s.run),
        "control_socket_disable": True,
        "proc_name": "haitang-control",
        "pre_fork": lambda arbiter, worker: _place(arbiter.WORKERS.values(), worker),
        "post_worker_init": lambda worker: _begin(),
        "worker_exit": lambda server, worker: _leave(worker),
        "loglevel": "warning",
    }


def _place(others: Iterable[Any], worker: Any) -> None:
    """Have a process listen on the socket that the one before it left: gunicorn gives each all of them."""
    every = worker.sockets
    taken = Counter(listener for other in others for listener in other.sockets)
    worker.sockets = [min(every, key=lambda listener: taken[listener])]


def _begin() -> None:
    """What was loaded stays for good: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AT)
    telemetry.start("control")
    _beat()


def _beat() -> None:
    """A worker that serves beats for the whole of control."""
    beat.beat_in_thread(settings().run, "control", threading.Event(), os.getppid())


def _leave(worker: Any) -> None:
    """End a worker whose requests are done without tearing the interpreter down under DuckDB's threads, which aborts it."""
    if worker.booted:
        logging.shutdown()
        os._exit(0)


def run() -> None:
    """Serve until SIGTERM."""
    Control().run()
