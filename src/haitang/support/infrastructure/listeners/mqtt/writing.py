"""Packets to bytes."""

from haitang.support.infrastructure.listeners.mqtt import properties as props
from haitang.support.infrastructure.listeners.mqtt import wire
from haitang.support.infrastructure.listeners.mqtt.packets import (
    V5,
    Ack,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Reply,
    Subscribe,
    Subscription,
    Unsubscribe,
)  # fmt: skip
from haitang.support.infrastructure.listeners.mqtt.properties import (
    CONNACK,
    CONNECT,
    PUBLISH,
    PUBREL,
    SUBACK,
    SUBSCRIBE,
    UNSUBSCRIBE,
)  # fmt: skip


def written(packet: Packet, version: int) -> bytes:
    """The bytes of a packet for a connection of this version."""
    if isinstance(packet, Ack) and not packet.reason and not packet.properties:
        return bytes((packet.type << 4 | (2 if packet.type == PUBREL else 0), 2)) + packet.packet_id.to_bytes(2, "big")
    first, body = _parts(packet, version)
    return bytes([first]) + wire.variable(len(body)) + body


def _parts(packet: Packet, version: int) -> tuple[int, bytes]:
    match packet:
        case Publish():
            return _publish(packet, version)
        case Ack():
            return packet.type << 4 | (2 if packet.type == PUBREL else 0), _ack(packet, version)
        case Connack():
            return CONNACK << 4, bytes([packet.session_present, packet.reason]) + _properties(packet.properties, version)
        case Reply():
            reasons = bytes(packet.reasons) if version == V5 or packet.type == SUBACK else b""
            return packet.type << 4, wire.two(packet.packet_id) + _properties(packet.properties, version) + reasons
        case Ping():
            return packet.type << 4, b""
        case Disconnect():
            return packet.type << 4, _farewell(packet, version)
        case Connect():
            return CONNECT << 4, _connect(packet)
        case Subscribe():
            topics = b"".join(wire.text(t.topic) + bytes([_options(t, version)]) for t in packet.topics)
            return SUBSCRIBE << 4 | 2, wire.two(packet.packet_id) + _properties(packet.properties, version) + topics
        case Unsubscribe():
            names = b"".join(map(wire.text, packet.topics))
            return UNSUBSCRIBE << 4 | 2, wire.two(packet.packet_id) + _properties(packet.properties, version) + names


def _properties(properties: props.Properties, version: int) -> bytes:
    return props.written(properties) if version == V5 else b""


def _publish(packet: Publish, version: int) -> tuple[int, bytes]:
    number = wire.two(packet.packet_id) if packet.qos else b""
    first = PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    return first, wire.text(packet.topic) + number + _properties(packet.properties, version) + packet.payload


def _ack(packet: Ack, version: int) -> bytes:
    number = wire.two(packet.packet_id)
    if version != V5 or not (packet.reason or packet.properties):
        return number
    return number + bytes([packet.reason]) + (props.written(packet.properties) if packet.properties else b"")


def _farewell(packet: Disconnect, version: int) -> bytes:
    if version != V5 or not (packet.reason or packet.properties):
        return b""
    return bytes([packet.reason]) + (props.written(packet.properties) if packet.properties else b"")


def _connect(packet: Connect) -> bytes:
    will = packet.will
    flags = (packet.clean << 1) | (packet.username is not None) << 7 | (packet.password is not None) << 6
    parts = [wire.text(packet.client_id)]
    if will:
        flags |= 4 | will.qos << 3 | will.retain << 5
        parts += [_properties(will.properties, packet.version), wire.text(will.topic), wire.binary(will.payload)]
    if packet.username is not None:
        parts.append(wire.text(packet.username))
    if packet.password is not None:
        parts.append(wire.binary(packet.password))
    head = wire.binary(b"MQTT") + bytes([packet.version, flags]) + wire.two(packet.keep_alive)
    return head + _properties(packet.properties, packet.version) + b"".join(parts)


def _options(topic: Subscription, version: int) -> int:
    return topic.qos if version != V5 else topic.qos | topic.no_local << 2 | topic.retain_as_published << 3 | topic.retain_handling << 4
