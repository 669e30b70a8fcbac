"""Metrics as Prometheus reads them, and traces to a collector where one is set: nothing of it where none is."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from haitang.server.front import figures
from haitang.server.telemetry import route_of
from tests.server.instances import wait_until

LINE = re.compile(r'^haitang_[a-z_]+(\{([a-z_]+="(\\.|[^"\\])*",?)+\})? -?[0-9.e+-]+$')


def test_an_exposition_is_what_prometheus_reads() -> None:
    samples = [("up", {"part": 'a "quoted" \\ part'}, 1.0), ("up", {"part": "b"}, 0.0), ("cases_open", {}, 3.0)]
    lines = figures.exposed(samples).splitlines()
    assert lines.count("# TYPE haitang_up gauge") == 1
    assert all(LINE.match(line) for line in lines if not line.startswith("#"))
    assert "haitang_cases_open 3" in lines


def test_answers_are_counted_by_plane_and_never_by_address() -> None:
    async def go() -> None:
        app = figures.Counted(Starlette(routes=[Route("/people", lambda request: PlainTextResponse("x"))]))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
            await client.get("/people?q=13900000001")
            await client.get("/nowhere/11010519491231002X")

    figures.Counted.counts.clear()
    asyncio.run(go())
    text = figures.exposed(figures.of_http())
    assert 'haitang_http_requests_total{plane="pages",status="2xx"} 1' in text
    assert 'haitang_http_requests_total{plane="pages",status="4xx"} 1' in text
    assert 'le="+Inf"' in text
    assert "11010519491231002X" not in text


def test_listeners_and_processes_tell_of_themselves(tmp_path: Path) -> None:
    import os

    (tmp_path / "mqtt.json").write_text(json.dumps({"counters": {"received": 5}}), "utf-8")
    (tmp_path / "broken.json").write_text("{", "utf-8")
    (tmp_path / "writer.pid").write_text(f"{os.getpid()} 2", "ascii")
    text = figures.exposed(figures.of_files(tmp_path))
    assert 'haitang_listener_total{listener="mqtt",what="received"} 5' in text
    assert 'haitang_process_restarts_total{process="writer"} 2' in text
    assert re.search(r'haitang_process_resident_bytes\{process="writer"\} [1-9]', text)


@pytest.mark.django_db(transaction=True)
def test_the_database_tells_what_waits() -> None:
    import os

    from django.db import connection

    told = connection.settings_dict
    url = os.environ["HAITANG_DATABASE_URL"].rpartition("/")[0] + f"/{told['NAME']}"
    wanted = {"evidence_unsealed", "evidence_seal_age_seconds", "cases_open", "alarms_open"}
    wait_until(
        lambda: wanted <= {name for name, _, _ in asyncio.run(figures.of_database(url))}
    )  # it gives a busy database up after three seconds


@pytest.mark.parametrize(
    ("path", "route"),
    [("/cases/500111-2026-000001", "/cases/{}"), ("/people", "/people"), ("/search/王丽", "/search/{}"), ("/x/%E7%8E%8B", "/x/{}")],
)
def test_a_span_names_a_route_and_nothing_of_a_request(path: str, route: str) -> None:
    assert route_of(path) == route


@pytest.fixture
def collector() -> Iterator[tuple[str, dict[str, bytes]]]:
    got: dict[str, bytes] = {}

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got[self.path] = got.get(self.path, b"") + self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


PROGRAM = """
import asyncio, sys
from dataclasses import replace
import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from haitang.base.settings import settings, use
use(replace(settings(), otel_endpoint=sys.argv[1]))
from haitang.server import telemetry
stop = telemetry.start("front")
async def go():
    app = Starlette(routes=[Route("/cases/{n}", lambda r: JSONResponse(dict(r.headers)))])
    app = telemetry.Traced(app) if telemetry.on() else app
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        print((await client.get("/cases/11010519491231002")).json().get("traceparent", "none"))
asyncio.run(go())
stop()
print("opentelemetry" in sys.modules)
"""


def ran(endpoint: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, endpoint], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_spans_and_durations_reach_a_collector(collector: tuple[str, dict[str, bytes]]) -> None:
    url, got = collector
    trace, loaded = ran(url)
    assert trace.startswith("00-")
    assert loaded == "True"
    wait_until(
        lambda: {"/v1/traces", "/v1/metrics"} <= got.keys()
    )  # the process waits five seconds for a word of the collector, which is us
    assert b"haitang-front" in got["/v1/traces"]
    assert b"GET /cases/{}" in got["/v1/traces"]
    assert b"11010519491231002" not in got["/v1/traces"] + got["/v1/metrics"]
    assert b"http.server.request.duration" in got["/v1/metrics"]


def test_nothing_is_loaded_where_no_collector_is_set() -> None:
    assert ran("") == ["none", "False"]
