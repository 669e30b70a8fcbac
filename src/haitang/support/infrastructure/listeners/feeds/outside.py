"""The client of one outside broker: paho-mqtt in a thread of its own, messages stored in the event loop, acknowledged after that.

The session stays when we go (clean start off), so the broker keeps what comes meanwhile at QoS 1 and 2. A message that was not acknowledged comes again after
a reconnect; its id, or the digest of its content, makes it one in the lake.
"""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from haitang.base import clock
from haitang.support.infrastructure.listeners.batcher import Batcher
from haitang.support.infrastructure.listeners.counters import Counters
from haitang.support.infrastructure.listeners.feeds.kinds import Feed, Topic
from haitang.support.infrastructure.listeners.instants import micros
from haitang.support.infrastructure.listeners.known import Known
from haitang.support.infrastructure.listeners.messages import interpret
from haitang.support.infrastructure.stream.messages import SetAside
from haitang.support.security.outgoing import guard as outgoing

log = structlog.get_logger()
AT_ONCE = 100  # messages that wait for their acknowledgement; the broker keeps the rest
KEPT = 7 * 24 * 3600  # seconds that the broker keeps our session
LARGEST = 128 * 1024  # bytes; a larger message is set aside without its content
Find = Callable[[str], Known | None]


class _Client(paho.Client):
    """Connects to judged addresses only; TLS still asks for the broker's name."""

    def _create_socket_connection(self) -> socket.socket:
        return outgoing.connect(self._host, self._port, self._connect_timeout, (self._bind_address, self._bind_port))


class Outside:
    """Subscribes until `close`."""

    def __init__(self, feed: Feed, node: str, find: Find, batcher: Batcher, counters: Counters, password: str = "") -> None:
        self._feed, self._node, self._find, self._batcher, self._counters = feed, node, find, batcher, counters
        self._loop = asyncio.get_running_loop()
        self._connected = 0  # how often: an acknowledgement of an older connection must not reach a newer one
        self._tasks: set[asyncio.Future[None]] = set()
        self._client = self._made(password)

    def _made(self, password: str) -> paho.Client:
        five = self._feed.version == "5"
        more: dict[str, Any] = {} if five else {"clean_session": False}
        client = _Client(
            CallbackAPIVersion.VERSION2,
            f"haitang-{self._node}-{self._feed.id}",
            protocol=paho.MQTTv5 if five else paho.MQTTv311,
            manual_ack=True,
            **more,
        )
        if self._feed.username:
            client.username_pw_set(self._feed.username, password)
        if self._feed.tls:
            client.tls_set()
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_message = self._on_connect, self._on_message
        client.on_disconnect = lambda c, u, flags, reason, properties: log.warning("feed.away", feed=self._feed.id, reason=str(reason))
        return client

    def open(self) -> None:
        """Connect, now or whenever the broker is there."""
        more: dict[str, Any] = {}
        if self._feed.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval, properties.ReceiveMaximum = KEPT, AT_ONCE
            more = {"clean_start": False, "properties": properties}
        self._client.connect_async(self._feed.host, self._feed.port, 60, **more)
        self._client.loop_start()

    async def close(self) -> None:
        """Leave; what was not acknowledged comes again."""
        await asyncio.to_thread(self._client.disconnect)
        await asyncio.to_thread(self._client.loop_stop)
        for task in self._tasks:
            task.cancel()

    # -- in the client's thread ----------------------------------------------------------------

    def _on_connect(self, client: paho.Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            log.error("feed.refused", feed=self._feed.id, reason=str(reason))
            return
        self._connected += 1
        log.info("feed.connected", feed=self._feed.id, session=flags.session_present)
        wanted: list[tuple[str, int]] = [(topic.filter.replace("{thing}", "+"), self._feed.qos) for topic in self._feed.topics]
        client.subscribe(wanted)

    def _on_message(self, client: paho.Client, userdata: Any, message: paho.MQTTMessage) -> None:
        """Waits until the event loop has taken the message in: a broker that sends faster than we store is held up."""
        asyncio.run_coroutine_threadsafe(self._take(message, self._connected), self._loop).result()

    # -- in the event loop ---------------------------------------------------------------------

    async def _take(self, message: paho.MQTTMessage, connection: int) -> None:
        self._counters.add("received")
        observations, aside = self._read(message.topic, bytes(message.payload))
        stored = await self._batcher.submit(observations, aside)
        task = asyncio.ensure_future(self._acknowledge(stored, message, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _acknowledge(self, stored: "asyncio.Future[None]", message: paho.MQTTMessage, connection: int) -> None:
        await asyncio.wait([stored])
        if not stored.cancelled() and message.qos and connection == self._connected:
            self._client.ack(message.mid, message.qos)
            self._counters.add("acknowledged")

    def _read(self, topic: str, payload: bytes) -> tuple[list[Any], list[SetAside]]:
        now = clock.now()
        name, thing = named(topic, self._feed.topics)
        known = self._find(thing) if thing else None
        if known is not None and len(payload) <= LARGEST:
            reading = interpret(payload, known, now=now)
            return reading.observations, reading.set_aside
        reason = "unknown_thing" if known is None else "too_large"
        raw = payload[:LARGEST].decode("utf-8", "backslashreplace").replace("\0", "\\x00")
        return [], [SetAside(self._node, thing or name, reason, f"{self._feed.id}: {topic}"[:500], raw, "live", "", micros(now))]


def named(topic: str, topics: list[Topic]) -> tuple[str, str]:
    """The device's name in a topic and its thing here; empty where none of the filters fits."""
    levels = topic.split("/")
    for each in topics:
        wanted = each.filter.split("/")
        if _fits(levels, wanted):
            name = levels[wanted.index("{thing}")]
            return name[:64], (each.prefix + name)[:64]
    return topic[:64], ""


def _fits(levels: list[str], wanted: list[str]) -> bool:
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(levels) == len(wanted) and all(want in ("+", "{thing}", level) for want, level in zip(wanted, levels, strict=True))


def password_of(feed: str, data: Path) -> str:
    """The password of a feed: the first line of `keys/feed-<id>`, empty where there is none."""
    try:
        return (data / "keys" / f"feed-{feed}").read_text("utf-8").split("\n")[0]
    except OSError:
        return ""
