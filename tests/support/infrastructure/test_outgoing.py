"""What the platform connects to outside: public addresses, or what the setting allows, and always the address that was judged."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.errors import HaitangError
from haitang.base.settings import settings, use
from haitang.support.infrastructure.outside.dingtalk import DingTalkRobot
from haitang.support.security.evidence import daily
from haitang.support.security.outgoing import guard

NOT_PUBLIC = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1", "ff02::1",
]  # fmt: skip
PUBLIC = ["223.5.5.5", "1.1.1.1", "2400:3200::1", "::ffff:223.5.5.5", "64:ff9b::df05:505"]


@pytest.fixture
def allow() -> Iterator[Any]:
    before = settings()

    def let(what: str = "") -> None:
        use(replace(before, outgoing_allow=what))

    let()
    yield let
    use(before)


@pytest.fixture
def answering() -> Iterator[str]:
    """A service on loopback that says that it was reached, and once sends on to elsewhere."""

    class Says(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            size = 5 << 20 if self.path == "/large" else 2
            self.send_response(302 if self.path == "/on" else 200)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            self.wfile.write(b"x" * size)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Says)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_what_is_not_public_is_refused_in_every_form(text: str) -> None:
    assert not guard.is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_not(text: str) -> None:
    assert guard.is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_every_form(address: Any) -> None:
    for form in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert guard.is_public(ip_address(form)) == guard.is_public(address)


def test_loopback_is_reached_only_when_it_is_allowed(allow: Any, answering: str) -> None:
    for way in (
        answering,
        answering.replace("127.0.0.1", "localhost"),
        answering.replace("127.0.0.1", "2130706433"),
        answering.replace("127.0.0.1", "0x7f.1"),
    ):
        with pytest.raises(httpx.ConnectError, match="HAITANG_OUTGOING_ALLOW"):
            guard.get(way)
    allow("10.0.0.0/8, 127.0.0.0/8")
    assert guard.get(answering).status_code == 200
    allow("localhost")
    assert guard.get(answering.replace("127.0.0.1", "localhost")).status_code == 200
    with pytest.raises(httpx.ConnectError):
        guard.get(answering)


def test_a_redirect_is_not_followed_and_a_large_answer_not_read(allow: Any, answering: str) -> None:
    allow("127.0.0.1")
    assert guard.get(f"{answering}/on").status_code == 302
    with pytest.raises(httpx.ReadError, match="larger"):
        guard.get(f"{answering}/large")


def test_the_name_service_is_asked_once_and_its_second_answer_changes_nothing(
    allow: Any, answering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when judged, loopback when connected. The connection goes to what was judged."""
    asked, real, port = [], socket.getaddrinfo, int(answering.rpartition(":")[2])

    def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "rebind.example":
            return real(host, *rest, **more)
        asked.append(host)
        address = "203.0.113.9" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    allow("203.0.113.0/24")  # documentation addresses stand for public ones: nothing answers there
    with pytest.raises(httpx.HTTPError):
        guard.get(f"http://rebind.example:{port}", timeout=1)
    assert asked == ["rebind.example"]
    with pytest.raises(httpx.ConnectError, match=r"127\.0\.0\.1"):
        guard.get(f"http://rebind.example:{port}", timeout=1)


def test_a_name_with_one_inner_address_among_public_ones_is_refused(allow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("223.5.5.5", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(httpx.ConnectError, match=r"10\.0\.0\.1"):
        guard.get("http://mixed.example")


def test_what_the_platform_talks_to_goes_through_the_guard(allow: Any, answering: str) -> None:
    with pytest.raises(HaitangError, match="unreachable") as refused:
        DingTalkRobot(f"{answering}/robot?access_token=secret").send(to="", title="x", text="y", link="z")
    assert "HAITANG_OUTGOING_ALLOW" in str(refused.value.data)
    assert "secret" not in str(refused.value.data)
    with pytest.raises(ConnectionRefusedError, match="HAITANG_OUTGOING_ALLOW"):
        guard.connect("127.0.0.1", 1883, 1)
    assert daily.outgoing is guard


def test_a_setting_that_is_no_network_is_named(allow: Any) -> None:
    allow("10.0.0.0/99")
    with pytest.raises(HaitangError, match="bad_setting"):
        guard.allowed()
