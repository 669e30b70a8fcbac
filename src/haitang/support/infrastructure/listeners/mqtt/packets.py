"""Packets of MQTT 3.1.1 (OASIS, 2014) and 5 (OASIS, 2019): bytes to packets and back, sans-io, for either side of the wire.

`version` is the protocol level: 4 for 3.1.1, 5 for 5. What the standard calls malformed or a protocol error within one packet raises MqttError;
what depends on the connection's state is the connection's to judge.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from haitang.support.infrastructure.listeners.mqtt import properties as props
from haitang.support.infrastructure.listeners.mqtt.properties import (
    AUTH,
    CONNACK,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
)  # fmt: skip
from haitang.support.infrastructure.listeners.mqtt.wire import Cursor, MqttError, malformed, protocol_error

V311, V5 = 4, 5
UNSUPPORTED_VERSION = 0x84
Properties = dict[str, Any]


@dataclass(frozen=True)
class Will:
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Connect:
    client_id: str
    version: int = V5
    clean: bool = True
    keep_alive: int = 60
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Connack:
    session_present: bool
    reason: int
    properties: Properties = field(default_factory=dict)


class Publish(msgspec.Struct, frozen=True, gc=False):
    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False
    properties: Properties = {}


class Ack(msgspec.Struct, frozen=True, gc=False):
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""

    type: int
    packet_id: int
    reason: int = 0
    properties: Properties = {}


@dataclass(frozen=True)
class Subscription:
    topic: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


@dataclass(frozen=True)
class Subscribe:
    packet_id: int
    topics: tuple[Subscription, ...]
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Unsubscribe:
    packet_id: int
    topics: tuple[str, ...]
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """SUBACK or UNSUBACK: one reason for each topic (none in 3.1.1's UNSUBACK)."""

    type: int
    packet_id: int
    reasons: tuple[int, ...]
    properties: Properties = field(default_factory=dict)


@dataclass(frozen=True)
class Ping:
    type: int = PINGREQ


@dataclass(frozen=True)
class Disconnect:
    """DISCONNECT, and AUTH, which has the same shape."""

    reason: int = 0
    properties: Properties = field(default_factory=dict)
    type: int = DISCONNECT


Packet = Connect | Connack | Publish | Ack | Subscribe | Unsubscribe | Reply | Ping | Disconnect
_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}


def parse(first: int, body: bytes, version: int) -> Packet:
    """The packet whose first byte and remaining bytes these are. CONNECT says its own version; `version` is that of the connection."""
    kind, flags = first >> 4, first & 0x0F
    if kind != PUBLISH and flags != _FLAGS.get(kind, 0):
        raise malformed("flags that are reserved")
    cursor = Cursor(body)
    packet = _parsed(kind, flags, cursor, version)
    if not cursor.done:
        raise malformed("packet is longer than its content")
    return packet


def _parsed(kind: int, flags: int, cursor: Cursor, version: int) -> Packet:
    if kind == PUBLISH:
        return _publish(flags, cursor, version)
    if kind in (PUBACK, PUBREC, PUBREL, PUBCOMP):
        return _ack(kind, cursor, version)
    if kind == CONNECT:
        return _connect(cursor)
    if kind == CONNACK:
        present, reason = cursor.byte(), cursor.byte()
        return Connack(present == 1, reason, _properties(cursor, CONNACK, version))
    if kind in (SUBSCRIBE, UNSUBSCRIBE):
        return _asked(kind, cursor, version)
    if kind in (SUBACK, UNSUBACK):
        number, found = _identifier(cursor), _properties(cursor, kind, version)
        return Reply(kind, number, tuple(cursor.rest()), found)
    if kind in (PINGREQ, PINGRESP):
        return Ping(kind)
    if kind == DISCONNECT or (kind == AUTH and version == V5):
        return _farewell(kind, cursor, version)
    raise malformed("packet type that does not exist")


def _properties(cursor: Cursor, packet: int, version: int) -> Properties:
    return props.read(cursor, packet) if version == V5 else {}


def _identifier(cursor: Cursor) -> int:
    found = cursor.two()
    if not found:
        raise malformed("packet identifier 0")
    return found


def _connect(cursor: Cursor) -> Connect:
    name = cursor.binary()
    version = cursor.byte()
    if name != b"MQTT" or version not in (V311, V5):
        raise MqttError(UNSUPPORTED_VERSION, f"protocol {name[:10]!r} level {version}")
    flags, keep_alive = cursor.byte(), cursor.two()
    if flags & 1:
        raise malformed("reserved connect flag")
    found = _properties(cursor, CONNECT, version)
    client_id, will = cursor.text(), _will(flags, cursor, version)
    username = cursor.text() if flags & 0x80 else None
    password = cursor.binary() if flags & 0x40 else None
    if password is not None and username is None and version == V311:
        raise malformed("password without user name")
    return Connect(client_id, version, bool(flags & 2), keep_alive, username, password, will, found)


def _will(flags: int, cursor: Cursor, version: int) -> Will | None:
    qos = flags >> 3 & 3
    if not flags & 4:
        if flags & 0x38:
            raise malformed("will flags without a will")
        return None
    if qos == 3:
        raise malformed("will of QoS 3")
    found = props.read(cursor, props.WILL) if version == V5 else {}
    return Will(cursor.text(), cursor.binary(), qos, bool(flags & 0x20), found)


def _publish(flags: int, cursor: Cursor, version: int) -> Publish:
    qos = flags >> 1 & 3
    if qos == 3 or (flags & 8 and not qos):
        raise malformed("QoS 3, or DUP at QoS 0")
    topic = cursor.text()
    number = _identifier(cursor) if qos else 0
    if version != V5:
        found: Properties = {}
    elif cursor.data[cursor.at : cursor.at + 1] == b"\0":  # no properties, as nearly always
        cursor.at, found = cursor.at + 1, {}
    else:
        found = props.read(cursor, PUBLISH)
    return Publish(topic, cursor.rest(), qos, number, bool(flags & 1), bool(flags & 8), found)


def _ack(kind: int, cursor: Cursor, version: int) -> Ack:
    number = _identifier(cursor)
    if version != V5 or cursor.done:
        return Ack(kind, number)
    reason = cursor.byte()
    return Ack(kind, number, reason, {} if cursor.done else props.read(cursor, kind))


def _asked(kind: int, cursor: Cursor, version: int) -> Subscribe | Unsubscribe:
    number, found = _identifier(cursor), _properties(cursor, kind, version)
    if cursor.done:
        raise protocol_error("no topic filter")
    if kind == UNSUBSCRIBE:
        names: list[str] = []
        while not cursor.done:
            names.append(cursor.text())
        return Unsubscribe(number, tuple(names), found)
    topics: list[Subscription] = []
    while not cursor.done:
        topics.append(_subscription(cursor.text(), cursor.byte(), version))
    return Subscribe(number, tuple(topics), found)


def _subscription(topic: str, options: int, version: int) -> Subscription:
    qos, handling = options & 3, options >> 4 & 3
    if qos == 3 or options & (0xFC if version == V311 else 0xC0) or handling == 3:
        raise malformed("subscription options")
    return Subscription(topic, qos, bool(options & 4), bool(options & 8), handling)


def _farewell(kind: int, cursor: Cursor, version: int) -> Disconnect:
    if version != V5 or cursor.done:
        return Disconnect(type=kind)
    reason = cursor.byte()
    return Disconnect(reason, {} if cursor.done else props.read(cursor, kind), kind)
