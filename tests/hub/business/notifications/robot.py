"""A DingTalk robot of our own on a real socket: checks the signature as the platform does, and keeps what it was told."""

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

SECRET = "SECtest"


class Robot:
    """`answers` are given first, in order; afterwards errcode 0."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, Any]]] = []
        robot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = robot.hear(parse_qs(urlsplit(self.path).query), body)
                said = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/robot/send?access_token=t0ken"

    def hear(self, query: dict[str, list[str]], body: bytes) -> tuple[int, dict[str, Any]]:
        stamp, given = query.get("timestamp", ["0"])[0], query.get("sign", [""])[0]
        right = hmac.new(SECRET.encode(), f"{stamp}\n{SECRET}".encode(), hashlib.sha256).digest()
        if (
            query.get("access_token") != ["t0ken"]
            or given != base64.b64encode(right).decode()
            or abs(time.time() * 1000 - int(stamp)) > 3.6e6
        ):
            return 200, {"errcode": 310000, "errmsg": "sign not match"}
        if self.answers:
            return self.answers.pop(0)
        self.messages.append(json.loads(body))
        return 200, {"errcode": 0, "errmsg": "ok"}

    def __enter__(self) -> "Robot":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.server.shutdown()
        self.server.server_close()
