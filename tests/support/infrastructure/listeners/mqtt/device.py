"""A device that speaks MQTT: paho-mqtt over a real socket, its callbacks kept as lists."""

import asyncio
import threading
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from haitang.support.infrastructure.credentials.actions import Issued
from tests.waiting import until

VERSIONS = {3: paho.MQTTv311, 5: paho.MQTTv5}


def properties(packet: str, **values: Any) -> Properties:
    made = Properties(getattr(PacketTypes, packet))
    for name, value in values.items():
        setattr(made, name, value)
    return made


class Device:
    def __init__(self, port: int, version: int, issued: Issued | None, client_id: str = "c1", clean: bool = True, **more: Any) -> None:
        clean_311 = {} if version == 5 else {"clean_session": clean}
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            protocol=VERSIONS[version],
            reconnect_on_failure=False,
            manual_ack=more.pop("manual_ack", False),
            **clean_311,
        )
        self.port, self.version, self.clean, self.keepalive = port, version, clean, more.pop("keepalive", 60)
        self.connack: Any = None
        self.ended: Any = None
        self.acknowledged: list[int] = []
        self.codes: list[Any] = []
        self.messages: list[Any] = []
        self.subscribed: list[Any] = []
        self.unsubscribed: list[Any] = []
        if issued:
            self.client.username_pw_set(issued.credential.identifier, issued.secret)
        self._lock = threading.Lock()
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = lambda c, u, flags, reason, props: setattr(self, "ended", reason)
        self.client.on_publish = self._on_publish
        self.client.on_message = lambda c, u, message: self.messages.append(message)
        self.client.on_subscribe = lambda c, u, mid, reasons, props: self.subscribed.append(reasons)
        self.client.on_unsubscribe = lambda c, u, mid, reasons, props: self.unsubscribed.append(reasons)

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, props: Any) -> None:
        self.present, self.given, self.connack = flags.session_present, props, reason

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason: Any, props: Any) -> None:
        self.codes.append(reason)  # before the number, for which others wait
        self.acknowledged.append(mid)

    async def connect(self, **props: Any) -> "Device":
        more: dict[str, Any] = {"clean_start": self.clean} if self.version == 5 else {}
        if props:
            more["properties"] = properties("CONNECT", **props)
        await asyncio.to_thread(self.client.connect, "127.0.0.1", self.port, self.keepalive, **more)
        self.client.loop_start()
        await until(lambda: self.connack is not None or self.ended is not None)
        return self

    async def publish(self, topic: str, payload: str | bytes, qos: int = 1, **more: Any) -> int:
        """Publish and, at QoS 1 and 2, wait until it is acknowledged to the end."""
        told = self.client.publish(topic, payload, qos, **more)
        if qos:
            await until(lambda: told.mid in self.acknowledged or self.ended is not None)
        return int(told.mid)

    async def subscribe(self, topic: str, qos: int = 1) -> list[Any]:
        before = len(self.subscribed)
        self.client.subscribe(topic, qos)
        await until(lambda: len(self.subscribed) > before or self.ended is not None)
        return list(self.subscribed[-1])

    async def leave(self, **more: Any) -> None:
        """Say DISCONNECT."""
        await asyncio.to_thread(self.client.disconnect, **more)
        await asyncio.to_thread(self.client.loop_stop)

    async def vanish(self) -> None:
        """End the connection without a word."""
        self.client.socket().close()
        await asyncio.to_thread(self.client.loop_stop)
