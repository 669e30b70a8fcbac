"""An outside broker: Debian's Mosquitto as the real one, subscribed to with manual acknowledgement."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from haitang.base.declarations import Declarations, in_force, put_in_force
from haitang.server.testing.mosquitto import program
from haitang.support.infrastructure.listeners.feeds.kinds import Feed, Topic
from haitang.support.infrastructure.listeners.feeds.outside import named
from tests.ports import free_port
from tests.support.infrastructure.listeners.conftest import FOREIGN, NOISE, Platform

MOSQUITTO = program("mosquitto")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("sensors/n1/up", ("n1", "city_n1")),
        ("other/a/n2", ("n2", "n2")),
        ("sensors/n1/up/x", ("sensors/n1/up/x", "")),
        ("deep/n3/a/b", ("n3", "n3")),
    ],
)
def test_the_thing_of_a_topic_is_found_by_the_filter(topic: str, expected: tuple[str, str]) -> None:
    topics = [Topic(filter="sensors/{thing}/up", prefix="city_"), Topic(filter="other/+/{thing}"), Topic(filter="deep/{thing}/#")]
    assert named(topic, topics) == expected


@pytest.mark.parametrize("told", ["sensors/up", "a/{thing}/{thing}", "a/#/{thing}", "a{thing}/x", "a+/{thing}"])
def test_a_filter_that_names_no_thing_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r"write a topic filter|# stands only"):
        Topic(filter=told)


class Broker:
    """A Mosquitto that keeps sessions on disk."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        folder.mkdir(mode=0o777)
        folder.chmod(0o777)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {folder}/\nuser root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen([str(MOSQUITTO), "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(60)

    async def publish(self, topic: str, payload: str) -> None:
        """At QoS 1, with Mosquitto's own client, until the broker takes it."""
        command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", topic, "-m", payload]
        async with asyncio.timeout(60):
            while await asyncio.to_thread(lambda: subprocess.run(command, capture_output=True).returncode):
                await asyncio.sleep(0.1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


@pytest.mark.mosquitto
@pytest.mark.skipif(MOSQUITTO is None, reason="Mosquitto is not on this machine")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_a_message_is_acknowledged_to_the_broker_only_when_it_is_durable(mqtt: Any, broker: Broker, version: str) -> None:
    """The stream dies before the message comes: the broker keeps it. We start anew: it comes again, and is stored."""
    feed = Feed(title="市政平台", host="127.0.0.1", port=broker.port, version=version, topics=[Topic(filter="sensors/{thing}/up")])  # type: ignore[arg-type]
    before = in_force()
    feed._id = "city"
    put_in_force(Declarations("r2", {"device": {"noise_meter": NOISE, "gauge": FOREIGN}, "feed": {"city": feed}}))

    async def again() -> None:
        async with mqtt() as platform:
            found: list[float | None] = []
            async with asyncio.timeout(60):
                while 51 not in found:
                    found += [o.number for o in await platform.arrived()]
            assert found.count(51) == 1
            await broker.publish("sensors/nobody/up", "{}")
            aside: list[Any] = []
            async with asyncio.timeout(60):
                while not aside:
                    await asyncio.sleep(0.1)
                    aside += await platform.set_aside()
            assert [(s.reason, s.thing) for s in aside] == [("unknown_thing", "nobody")]

    async def both() -> None:
        async with mqtt() as platform:
            nats = platform.nats
            await platform.thing("n1")
            await _until_stored(platform, broker, 50)
            nats.kill()
            await broker.publish("sensors/n1/up", json.dumps({"property": "leq", "value": 51}))
            await asyncio.sleep(1.0)
        await asyncio.to_thread(nats.start)
        await again()

    try:
        asyncio.run(both())
    finally:
        put_in_force(before)


async def _until_stored(platform: Platform, broker: Broker, value: float) -> None:
    async with asyncio.timeout(60):
        while True:
            await broker.publish("sensors/n1/up", json.dumps({"property": "leq", "value": value, "at": "2026-03-01T08:00:00+08:00"}))
            await asyncio.sleep(0.3)
            if [o for o in await platform.observations() if o.number == value]:
                return
