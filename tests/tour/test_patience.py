"""The tour is no measurement: a platform that is busy for seconds still holds."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from haitang.server.tour.context import Context
from haitang.server.tour.evidence import _page_says
from haitang.server.tour.instance import Instance


class Late(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(6)
        self.send_response(200)
        self.end_headers()
        self.wfile.write("✓".encode())


def test_a_page_that_comes_late_is_waited_for_and_no_proxy_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with ThreadingHTTPServer(("127.0.0.1", 0), Late) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert _page_says(Context(Instance(tmp_path, "", http=server.server_port, hj212=0)), "R/x")
        server.shutdown()
