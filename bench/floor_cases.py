"""The floor of `cases`: a bare Django WSGI view that does the same inserts and updates for the same three requests, and nothing else.

It writes copies of the product's own rows (of the cases that were worked on just before) through Django's ORM, one transaction a request, into tables of the same columns and
indexes. No sign-in, no policies, no procedure, no checks; the same server (gunicorn, 2 processes of 8 threads), without the front before it.

python -m bench.floor_cases DATA PORT   serves it
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import client
from haitang.support.infrastructure.embedded.ports import free_port


def rate(data: Path, connections: int, each: int) -> float:
    """Lifecycles a second."""
    port = free_port()
    serving = subprocess.Popen([sys.executable, "-m", "bench.floor_cases", str(data), str(port)], cwd=client.ROOT)
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        client.run("cases", port, "x", "x", "lives", connections, 3)
        told = client.run("cases", port, "x", "x", "lives", connections, each)
    finally:
        serving.terminate()
        serving.wait(30)
    return float(told["done"] / told["seconds"])


def _tables() -> dict[str, Any]:
    """The product's models, by what a step writes."""
    from haitang.hub.business.cases.models import Case
    from haitang.hub.business.notifications.models import Delivery, Notice
    from haitang.hub.business.procedures.models import Run, RunEvent
    from haitang.support.security.evidence.models import EvidenceRecord

    return {"case": Case, "run": Run, "event": RunEvent, "evidence": EvidenceRecord, "notice": Notice, "delivery": Delivery}


def serve(data: str, port: str) -> None:
    from haitang.base.settings import use
    from haitang.server.boot import boot
    from haitang.server.instance import settings_of

    use(settings_of({"data": Path(data)}, must_run=True))
    boot()
    from django.conf import settings
    from django.db import connection

    for ours in ("server_side_binding", "prepare_threshold"):  # Django as it comes
        settings.DATABASES["default"]["OPTIONS"].pop(ours, None)
    settings.MIDDLEWARE, settings.ROOT_URLCONF = [], "bench.bare_urls"
    kept: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        for name, model in _tables().items():
            table, model._meta.db_table = model._meta.db_table, f"bare_{name}"
            for field in model._meta.concrete_fields:
                field.__dict__.pop("cached_col", None)  # fields remember their table
            cursor.execute(f"drop table if exists bare_{name}")
            cursor.execute(f"create table bare_{name} (like {table} including all)")
            cursor.execute(f"insert into bare_{name} select * from {table} order by {_LATEST[name]} desc limit 1")
            last = model.objects.get()
            kept[name] = {
                field.attname: getattr(last, field.attname) for field in model._meta.concrete_fields if field.name != "transaction"
            }
            cursor.execute(f"truncate bare_{name}")  # its number would come again: the copy counts from 1
    connection.close()
    from bench import bare_urls

    bare_urls.kept.update(kept)
    bare_urls.models.update(_tables())
    _gunicorn(port)


_LATEST = {"case": "opened_at", "run": "started_at", "event": "id", "evidence": "id", "notice": "created_at", "delivery": "id"}


def _gunicorn(port: str) -> None:
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

    class Bare(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            told = {
                "bind": f"127.0.0.1:{port}",
                "workers": 2,
                "worker_class": "gthread",
                "threads": 8,
                "keepalive": 75,
                "loglevel": "warning",
            }
            for name, value in {**told, "control_socket_disable": True}.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from django.core.wsgi import get_wsgi_application

            return get_wsgi_application()

    Bare().run()


if __name__ == "__main__":
    os.environ.setdefault("HAITANG_LOG_LEVEL", "WARNING")
    serve(sys.argv[1], sys.argv[2])
