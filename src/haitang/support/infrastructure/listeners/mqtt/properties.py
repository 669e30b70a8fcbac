"""Properties of MQTT 5 (section 2.2.2): which there are, of what type, in which packets.

In Python a packet's properties are a mapping of name to value; `user_property` is a list of pairs, `subscription_identifier` a list of numbers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from haitang.support.infrastructure.listeners.mqtt import wire
from haitang.support.infrastructure.listeners.mqtt.wire import Cursor, malformed, protocol_error

(
    CONNECT,
    CONNACK,
    PUBLISH,
    PUBACK,
    PUBREC,
    PUBREL,
    PUBCOMP,
    SUBSCRIBE,
    SUBACK,
    UNSUBSCRIBE,
    UNSUBACK,
    PINGREQ,
    PINGRESP,
    DISCONNECT,
    AUTH,
) = range(1, 16)
WILL = 0  # not a packet, but the properties of the will inside CONNECT
EVERYWHERE = frozenset(range(16)) - {PINGREQ, PINGRESP}
_ACKS = {PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK}
Properties = Mapping[str, Any]

Read = Callable[[Cursor], Any]
Write = Callable[[Any], bytes]
_TYPES: dict[str, tuple[Read, Write]] = {
    "byte": (Cursor.byte, wire.one),
    "two": (Cursor.two, wire.two),
    "four": (Cursor.four, wire.four),
    "variable": (Cursor.variable, wire.variable),
    "text": (Cursor.text, wire.text),
    "binary": (Cursor.binary, wire.binary),
    "pair": (Cursor.pair, wire.pair),
}


@dataclass(frozen=True)
class Property:
    code: int
    name: str
    type: str
    packets: frozenset[int]

    @property
    def repeats(self) -> bool:
        return self.name in ("user_property", "subscription_identifier")


def _p(code: int, name: str, type: str, *packets: int) -> Property:
    return Property(code, name, type, frozenset(packets))


TABLE: tuple[Property, ...] = (
    _p(0x01, "payload_format_indicator", "byte", PUBLISH, WILL),
    _p(0x02, "message_expiry_interval", "four", PUBLISH, WILL),
    _p(0x03, "content_type", "text", PUBLISH, WILL),
    _p(0x08, "response_topic", "text", PUBLISH, WILL),
    _p(0x09, "correlation_data", "binary", PUBLISH, WILL),
    _p(0x0B, "subscription_identifier", "variable", PUBLISH, SUBSCRIBE),
    _p(0x11, "session_expiry_interval", "four", CONNECT, CONNACK, DISCONNECT),
    _p(0x12, "assigned_client_identifier", "text", CONNACK),
    _p(0x13, "server_keep_alive", "two", CONNACK),
    _p(0x15, "authentication_method", "text", CONNECT, CONNACK, AUTH),
    _p(0x16, "authentication_data", "binary", CONNECT, CONNACK, AUTH),
    _p(0x17, "request_problem_information", "byte", CONNECT),
    _p(0x18, "will_delay_interval", "four", WILL),
    _p(0x19, "request_response_information", "byte", CONNECT),
    _p(0x1A, "response_information", "text", CONNACK),
    _p(0x1C, "server_reference", "text", CONNACK, DISCONNECT),
    _p(0x1F, "reason_string", "text", CONNACK, DISCONNECT, AUTH, *_ACKS),
    _p(0x21, "receive_maximum", "two", CONNECT, CONNACK),
    _p(0x22, "topic_alias_maximum", "two", CONNECT, CONNACK),
    _p(0x23, "topic_alias", "two", PUBLISH),
    _p(0x24, "maximum_qos", "byte", CONNACK),
    _p(0x25, "retain_available", "byte", CONNACK),
    Property(0x26, "user_property", "pair", EVERYWHERE),
    _p(0x27, "maximum_packet_size", "four", CONNECT, CONNACK),
    _p(0x28, "wildcard_subscription_available", "byte", CONNACK),
    _p(0x29, "subscription_identifier_available", "byte", CONNACK),
    _p(0x2A, "shared_subscription_available", "byte", CONNACK),
)
_BY_CODE, _BY_NAME = {p.code: p for p in TABLE}, {p.name: p for p in TABLE}
_NEVER_ZERO = {"receive_maximum", "maximum_packet_size", "topic_alias", "subscription_identifier"}
_FLAGS = {"payload_format_indicator", "request_problem_information", "request_response_information"}


def read(cursor: Cursor, packet: int) -> dict[str, Any]:
    """The properties that stand here; raises MqttError for one that is unknown, repeated or does not belong to this packet."""
    length = cursor.variable()
    inner, found = Cursor(cursor.take(length)), dict[str, Any]()
    while not inner.done:
        known = _BY_CODE.get(inner.variable())
        if known is None or packet not in known.packets:
            raise malformed("property that does not belong to this packet")
        value = _TYPES[known.type][0](inner)
        if known.repeats:
            found.setdefault(known.name, []).append(value)
        elif known.name in found:
            raise protocol_error(f"{known.name} twice")
        else:
            found[known.name] = value
        _check(known.name, value)
    return found


def _check(name: str, value: Any) -> None:
    if name in _NEVER_ZERO and not value:
        raise MqttTopicAlias if name == "topic_alias" else protocol_error(f"{name} is zero")
    if name in _FLAGS and value > 1:
        raise protocol_error(f"{name} is neither 0 nor 1")


MqttTopicAlias = wire.MqttError(0x94, "topic alias 0")


def written(properties: Properties) -> bytes:
    """The properties with their length before them."""
    out = bytearray()
    for name, value in properties.items():
        known = _BY_NAME[name]
        for each in value if known.repeats else [value]:
            out += bytes([known.code]) + _TYPES[known.type][1](each)
    return wire.variable(len(out)) + bytes(out)
