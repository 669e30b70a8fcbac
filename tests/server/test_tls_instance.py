"""A real instance whose pages, MQTT and HJ 212 speak TLS."""

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.instances import Instance, haitang, wait_until
from tests.support.security import certificates

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    folder = tmp_path_factory.mktemp("secure")
    certificate, key = certificates.write(folder)
    made = Instance(folder / "data")
    made.environment |= {
        "HAITANG_TLS_CERTIFICATE": str(certificate), "HAITANG_TLS_KEY": str(key), "HAITANG_TLS_FOR": "http,mqtt,hj212",
    }  # fmt: skip
    made.start()
    yield made
    made.stop()


def certificate_of(instance: Instance) -> Path:
    return instance.data.parent / "certificate.pem"


def shaken(instance: Instance, what: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(certificate_of(instance)))
    return context.wrap_socket(socket.create_connection(("127.0.0.1", instance.told[what]), timeout=60), server_hostname="127.0.0.1")


def test_pages_speak_tls_and_say_so(secure: Instance) -> None:
    url = f"https://127.0.0.1:{secure.told['http']}"
    context = ssl.create_default_context(cafile=str(certificate_of(secure)))
    with httpx.Client(base_url=url, verify=context, trust_env=False, timeout=60) as client:
        answer = client.get("/sign-in")
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        cookies = [value for name, value in answer.headers.multi_items() if name == "set-cookie"]
        assert cookies
        assert all("Secure" in cookie and "SameSite" in cookie for cookie in cookies)
        token = client.cookies["csrftoken"]
        form = {"username": "nobody", "password": "wrong-one", "csrfmiddlewaretoken": token}
        answer = client.post("/sign-in", data=form, headers={"Origin": url, "Referer": f"{url}/sign-in"})
        assert answer.status_code != 403  # the origin is the page's own, by https
        foreign = client.post("/sign-in", data=form, headers={"Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
    with pytest.raises(httpx.HTTPError):
        httpx.get(url.replace("https", "http"), trust_env=False, timeout=60)


def test_listeners_speak_tls(secure: Instance) -> None:
    with shaken(secure, "mqtt") as device:
        device.sendall(bytes.fromhex("10 0d 0004 4d515454 04 02 000a 0001 61".replace(" ", "")))
        assert device.recv(4)[:1] == b"\x20"  # CONNACK: refused, but in MQTT over TLS
    with shaken(secure, "hj212") as station:
        assert station.version() in ("TLSv1.2", "TLSv1.3")
    with socket.create_connection(("127.0.0.1", secure.told["mqtt"]), timeout=60) as plain:
        plain.sendall(bytes.fromhex("100d00044d51545404020000000161"))
        try:
            heard = plain.recv(4)
        except OSError:
            heard = b""
        assert heard[:1] != b"\x20"


def test_commands_reach_their_own_instance_and_a_new_certificate_comes_in(secure: Instance) -> None:
    status = haitang("status", "--json", "--data", str(secure.data))
    assert status.returncode == 0, status.stdout
    with shaken(secure, "http") as before:
        old = before.getpeercert(True)
        certificates.write(secure.data.parent)

        def renewed() -> bool:
            try:
                with shaken(secure, "http") as now:
                    return now.getpeercert(True) != old
            except ssl.SSLError:  # the old one, which no longer fits the file
                return False

        wait_until(renewed, 120)
        before.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert before.recv(15).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("via", ["hj212", "mqtt", "http"])
def test_a_replay_reaches_every_listener_by_tls(secure: Instance, via: str) -> None:
    played = haitang("replay", "--via", via, "--days", "0.25", "--json", "--data", str(secure.data), timeout=240)
    assert played.returncode == 0, played.stdout + played.stderr
    assert json.loads(played.stdout)["values"] > 0


def test_the_tour_passes_by_tls(secure: Instance) -> None:
    walked = haitang("tour", "--json", environment=secure.environment, timeout=560)
    assert walked.returncode == 0, walked.stdout[-3000:]
