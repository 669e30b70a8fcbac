"""Caps of connections and of patience at the MQTT listener, over real sockets; hj212/test_gate.py has those of the other."""

import asyncio
import json
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.gate import TOLD, Gate
from haitang.support.infrastructure.listeners.mqtt.connection import Connection
from haitang.support.infrastructure.listeners.mqtt.packets import V5, V311, Connack, Connect, parse
from haitang.support.infrastructure.listeners.mqtt.writing import written
from tests.support.infrastructure.listeners.conftest import Platform, on_uvloop
from tests.support.infrastructure.listeners.mqtt.device import Device
from tests.support.security import certificates
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def told(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((platform.run / "mqtt.json").read_text("utf-8"))
    return {**found["counters"], **found["now"]}


async def connack(port: int, version: int) -> Connack:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(written(Connect("c", version, True, 60, "x", b"y"), version))
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    found = parse(answer[0], answer[2:], version)
    assert isinstance(found, Connack)
    return found


@pytest.mark.parametrize(("limits", "reason", "count"), [
    ({"device_connections": 2}, 0x89, "turned_away"), ({"device_connections_of_address": 2}, 0x97, "turned_away_address"),
])  # fmt: skip
def test_one_device_too_many_hears_why_and_the_others_go_on(mqtt: Any, limits: dict[str, int], reason: int, count: str) -> None:
    async def run() -> None:
        async with mqtt(**limits) as platform:
            await until(lambda: told(platform)["open_connections"] == 0)
            issued = await platform.thing("n1")
            devices = [await Device(platform.port, 5, issued, f"c{n}").connect() for n in (1, 2)]
            assert (await connack(platform.port, V5)).reason == reason
            assert (await connack(platform.port, V311)).reason == 3
            await devices[0].publish("things/n1/observations", '{"property": "leq", "value": 50}')
            await until(lambda: told(platform)[count] == 2)
            assert told(platform)["open_connections"] == 2
            await devices[1].leave()
            await until(lambda: told(platform)["open_connections"] == 1)
            third = await Device(platform.port, 5, issued, "c3").connect()
            assert not third.connack.is_failure
            await asyncio.gather(devices[0].leave(), third.leave())

    on_uvloop(run())


def test_a_flood_from_one_address_is_cut_off_and_bounded(mqtt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "FIRST", 600.0)  # those that are in stay until all have come

    async def run() -> None:
        async with mqtt(device_connections_of_address=50) as platform:
            flood = [await asyncio.open_connection("127.0.0.1", platform.port) for _ in range(600)]
            await until(lambda: told(platform)["turned_away_address"] == 550)
            assert told(platform)["open_connections"] == 50
            await _all_end(flood[50:])
            for _, writer in flood:
                writer.close()
            await until(lambda: told(platform)["open_connections"] == 0)

    on_uvloop(run())


async def _all_end(connections: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
    """The other side ends each of them."""
    gone = await asyncio.gather(*(asyncio.wait_for(reader.read(), 60) for reader, _ in connections), return_exceptions=True)
    assert not [each for each in gone if isinstance(each, TimeoutError)]


def test_who_says_nothing_does_not_stay_and_is_counted(mqtt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "FIRST", 1.0)

    async def run() -> None:
        async with mqtt() as platform:
            silent = [await asyncio.open_connection("127.0.0.1", platform.port) for _ in range(50)]
            await _all_end(silent)
            for _, writer in silent:
                writer.close()
            await until(lambda: (told(platform)["open_connections"], told(platform)["too_slow"]) == (0, 50))

    on_uvloop(run())


def test_a_connect_in_drops_is_given_up(mqtt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "FIRST", 1.0)

    async def run() -> None:
        async with mqtt() as platform:
            reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
            packet = written(Connect("c", V5, True, 60, "x", b"y"), V5)
            ended = asyncio.create_task(reader.read())
            for byte in packet:
                if ended.done():
                    break
                writer.write(bytes([byte]))
                await asyncio.sleep(0.15)
            with suppress(ConnectionResetError):  # where a byte had come that nobody had read
                assert await asyncio.wait_for(ended, 60) == b""
            writer.close()
            await until(lambda: told(platform)["too_slow"] == 1)

    on_uvloop(run())


def test_a_message_that_is_begun_and_not_ended_is_given_up(mqtt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "WHOLE", 1.0)

    async def run() -> None:
        async with mqtt() as platform:
            device = await Device(platform.port, 5, await platform.thing("n1")).connect()
            sock = device.client.socket()
            assert sock
            sock.send(b"\x32\x7f\x00")
            await until(lambda: device.ended is not None)
            assert device.ended.getName() == "Keep alive timeout"
            await until(lambda: told(platform)["too_slow"] == 1)

    on_uvloop(run())


def test_under_tls_the_limits_count_from_tcp_on(mqtt: Any, tmp_path: Path) -> None:
    certificate, key = certificates.write(tmp_path)
    context = ssl.create_default_context(cafile=str(certificate))
    tls = {"tls_certificate": str(certificate), "tls_key": str(key), "tls_for": "mqtt"}

    async def run() -> None:
        async with mqtt(device_connections_of_address=2, **tls) as platform:
            await asyncio.sleep(0.5)  # the probe of the fixture, which shakes no hands
            reader, writer = await asyncio.open_connection("127.0.0.1", platform.port, ssl=context, server_hostname="127.0.0.1")
            issued = await platform.thing("n1")
            writer.write(written(Connect("c", V5, True, 60, issued.credential.identifier, issued.secret.encode()), V5))
            assert (await asyncio.wait_for(reader.readexactly(1), 60)) == b"\x20"
            _, silent = await asyncio.open_connection("127.0.0.1", platform.port)  # shakes no hands, and counts
            await until(lambda: told(platform)["open_connections"] == 2)
            with pytest.raises((OSError, ssl.SSLError)):
                await asyncio.open_connection("127.0.0.1", platform.port, ssl=context, server_hostname="127.0.0.1")
            silent.close()
            writer.close()
            await until(lambda: told(platform)["open_connections"] == 0)

    on_uvloop(run())


def test_only_so_many_hear_why_at_once() -> None:
    gate = Gate(Counters("gate.json", ()), 1, 1)
    assert [gate.tell() for _ in range(TOLD + 2)] == [True] * TOLD + [False, False]
    gate.told()
    assert [gate.tell(), gate.tell()] == [True, False]
