"""Devices that send whatever happens to the platform: by HTTP, MQTT and HJ 212; in disorder, late, now and then one message twice, and again what was not answered."""

import itertools
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bench.city import PROPERTIES, mn
from bench.load_hj212 import CODES
from bench.worker import Acknowledged, Worker
from haitang.base.clock import CHINA
from haitang.support.infrastructure.listeners.hj212.packet import compose, framed
from haitang.support.infrastructure.listeners.mqtt.packets import V5, Connect, Publish
from haitang.support.infrastructure.listeners.mqtt.writing import written

INSTANTS = 4  # of each message
PAUSE = 0.2  # seconds between two messages of a device: the load is steady, not the most that the machine takes
LATE, TWICE, TIMELESS = 0.2, 0.05, 0.1  # of the messages: come after what follows them; are sent again though answered; do not say when
WAITS = 30.0  # seconds for an answer
PATIENCE = 120.0  # seconds in which a message must be answered at last
CONNACK, PUBACK = 0x20, 0x40

Device = tuple[str, str, str]  # identifier, secret, thing


class Sending(Worker):
    """One device. What it has sent is known by its id, the source of each of its observations."""

    def __init__(self, url: str, known: Acknowledged, stop: threading.Event, device: Device) -> None:
        super().__init__(url, known, stop, int(device[2].rpartition("_")[2]))
        self.identifier, self.secret, self.thing = device
        self.next, self.kept = 0, list[int]()
        self.start_at = datetime.now(UTC) - timedelta(hours=20)

    def work(self) -> None:
        time.sleep(PAUSE)
        number, self.next = self.next, self.next + 1
        if self.chance.random() < LATE:
            self.kept.append(number)
            return
        self.send(number)
        if self.chance.random() < TWICE:
            self.send(number)
            self.known.twice += 1
        if self.kept and self.chance.random() < LATE:
            self.send(self.kept.pop(0))
            self.known.late += 1

    def send(self, number: int) -> None:
        """One message, until it is answered."""
        id, count = self.message(number, self.start_at + timedelta(seconds=number * INSTANTS))
        self.known.messages[id], self.known.at[id] = count, time.strftime("%H:%M:%S")

    def message(self, number: int, at: datetime) -> tuple[str, int]:
        """Send the message of that number until it is answered; gives its id and its number of observations."""
        raise NotImplementedError

    def observed(self, number: int, at: datetime) -> list[dict[str, Any]]:
        return [
            {"property": f"p{p}", "value": (number * 7 + p) % 100 + 0.5, "at": (at + timedelta(seconds=n)).isoformat()}
            for n in range(INSTANTS)
            for p in range(PROPERTIES)
        ]


class ByHttp(Sending):
    """Some messages do not say when: that is then the moment at which they first came, whatever happened since."""

    def message(self, number: int, at: datetime) -> tuple[str, int]:
        id, body = f"{self.thing}-{number}", self.observed(number, at)
        if number % round(1 / TIMELESS) == 0:
            body = [{"property": f"p{p}", "value": number % 100 + 0.5} for p in range(PROPERTIES)]
        answer = self.insist("/api/data/observations", json=body, headers={"Idempotency-Key": id}, auth=(self.identifier, self.secret))
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
        return id, len(body)


class OverTcp(Sending):
    """A device with a connection of its own, which it opens anew when no answer comes."""

    def __init__(self, port: int, *rest: Any) -> None:
        super().__init__(*rest)
        self.port, self.connection = port, None

    connection: socket.socket | None

    def ask(self, request: bytes) -> bytes:
        """Send, and what comes back first. Raises OSError."""
        if self.connection is None:
            self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=3)
            self.connection.settimeout(WAITS)
            self.greet()
        self.connection.sendall(request)
        if not (said := self.connection.recv(4096)):
            raise ConnectionResetError("closed")
        return said

    def greet(self) -> None:
        """What a new connection begins with. Raises OSError."""

    def insist_on(self, request: bytes, is_answer: bytes) -> None:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                if is_answer in (said := self.ask(request)):
                    return
                raise ConnectionError(said[:200].decode("utf-8", "replace"))
            except OSError as reason:
                if self.connection:
                    self.connection.close()
                self.connection, self.known.again = None, self.known.again + 1
                if time.monotonic() > until:
                    raise TimeoutError(f"no answer within {PATIENCE:.0f} s: {reason}") from None
                time.sleep(0.2)


class ByMqtt(OverTcp):
    """QoS 1, one message after the other; its id is the user property `id`."""

    numbers = itertools.cycle(range(1, 65536))

    def greet(self) -> None:
        assert self.connection
        hello = Connect(f"endures-{self.identifier}", V5, True, 60, self.identifier, self.secret.encode())
        self.connection.sendall(written(hello, V5))
        said = self.connection.recv(4096)
        if said[:1] != bytes([CONNACK]) or said[3] != 0:
            raise ConnectionRefusedError(said.hex())

    def message(self, number: int, at: datetime) -> tuple[str, int]:
        id, body, packet = f"{self.thing}-{number}", self.observed(number, at), next(self.numbers)
        publish = Publish(
            f"things/{self.thing}/observations", msgspec.json.encode(body), 1, packet, properties={"user_property": [("id", id)]}
        )
        self.insist_on(written(publish, V5), bytes([PUBACK, 2]) + packet.to_bytes(2, "big"))
        return id, len(body)


class ByHj212(OverTcp):
    """Instant values (2011) as a station sends them; a packet is known by its QN."""

    def message(self, number: int, at: datetime) -> tuple[str, int]:
        at, own = at.astimezone(CHINA), mn(int(self.thing.rpartition("_")[2]))
        qn = f"{at:%Y%m%d%H%M%S}000"
        items = ";".join(f"{code}-Rtd={(number * 7 + n) % 100}.5,{code}-Flag=N" for n, code in enumerate(CODES))
        cp = f"DataTime={at:%Y%m%d%H%M%S};{items}"
        self.insist_on(framed(compose(st="22", cn="2011", mn=own, pw="123456", qn=qn, flag=5, cp=cp)), b"CN=9014")
        return f"hj212:{own}:{qn}:2011", len(CODES)


def posting(instance: Any, known: Acknowledged, stop: threading.Event, number: int, device: Device) -> Sending:
    """Of five devices one sends by MQTT, one by HJ 212, the others by HTTP."""
    rest = instance.url, known, stop, device
    if number % 5 == 0:
        return ByMqtt(instance.mqtt, *rest)
    return ByHj212(instance.hj212, *rest) if number % 5 == 1 else ByHttp(*rest)
