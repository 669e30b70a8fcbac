"""The codec: what is written is read as it was, however it is cut; what is broken is told, never anything worse."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.support.infrastructure.listeners.mqtt import properties as props
from haitang.support.infrastructure.listeners.mqtt import wire
from haitang.support.infrastructure.listeners.mqtt.framer import Framer
from haitang.support.infrastructure.listeners.mqtt.packets import (
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
    Will,
    parse,
)  # fmt: skip
from haitang.support.infrastructure.listeners.mqtt.wire import MqttError
from haitang.support.infrastructure.listeners.mqtt.writing import written

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
ids = st.integers(1, 65535)
_VALUES: dict[str, st.SearchStrategy[object]] = {
    "byte": st.integers(0, 1), "two": st.integers(1, 65535), "four": st.integers(1, 2**32 - 1), "variable": st.integers(1, wire.LONGEST_VARIABLE),
    "text": texts, "binary": st.binary(max_size=20), "pair": st.tuples(texts, texts),
}  # fmt: skip


def properties(packet: int) -> st.SearchStrategy[dict[str, object]]:
    fields = {
        p.name: _VALUES[p.type] if not p.repeats else st.lists(_VALUES[p.type], min_size=1, max_size=3)
        for p in props.TABLE
        if packet in p.packets
    }
    return st.fixed_dictionaries({}, optional=fields)


def packets(version: int) -> st.SearchStrategy[Packet]:
    def p(packet: int) -> st.SearchStrategy[dict[str, object]]:
        return properties(packet) if version == 5 else st.just({})

    reasons = st.lists(st.integers(0, 255), min_size=1, max_size=4).map(tuple)
    will = st.builds(Will, texts, st.binary(max_size=20), st.integers(0, 2), st.booleans(), p(props.WILL))
    subscription = (
        st.builds(Subscription, texts, st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 2))
        if version == 5
        else st.builds(Subscription, texts, st.integers(0, 2))
    )
    connect = st.builds(
        Connect,
        texts,
        st.just(version),
        st.booleans(),
        st.integers(0, 65535),
        texts,
        st.none() | st.binary(max_size=20),
        st.none() | will,
        p(props.CONNECT),
    )
    ack = st.sampled_from([props.PUBACK, props.PUBREC, props.PUBREL, props.PUBCOMP]).flatmap(
        lambda kind: st.builds(Ack, st.just(kind), ids, st.integers(0, 255) if version == 5 else st.just(0), p(kind))
    )
    return st.one_of(
        connect, ack,
        st.builds(Connack, st.booleans(), st.integers(0, 255), p(props.CONNACK)),
        st.builds(Publish, texts, st.binary(max_size=50), st.just(0), st.just(0), st.booleans(), st.just(False), p(props.PUBLISH)),
        st.builds(Publish, texts, st.binary(max_size=50), st.integers(1, 2), ids, st.booleans(), st.booleans(), p(props.PUBLISH)),
        st.builds(Subscribe, ids, st.lists(subscription, min_size=1, max_size=3).map(tuple), p(props.SUBSCRIBE)),
        st.builds(Unsubscribe, ids, st.lists(texts, min_size=1, max_size=3).map(tuple), p(props.UNSUBSCRIBE)),
        st.builds(Reply, st.just(props.SUBACK), ids, reasons, p(props.SUBACK)),
        st.builds(Ping, st.sampled_from([12, 13])),
        st.builds(Disconnect, st.integers(0, 255) if version == 5 else st.just(0), p(props.DISCONNECT)),
    )  # fmt: skip


@pytest.mark.parametrize("version", [4, 5])
@given(data=st.data())
def test_what_is_written_is_read_as_it_was_however_it_is_cut(version: int, data: st.DataObject) -> None:
    sent = data.draw(st.lists(packets(version), min_size=1, max_size=4))
    stream = b"".join(written(packet, version) for packet in sent)
    framer, found, at = Framer(2**20), [], 0
    while at < len(stream):
        size = data.draw(st.integers(1, len(stream)))
        found += [parse(first, body, version) for first, body in framer.feed(stream[at : at + size])]
        at += size
    assert found == sent


@given(st.binary(max_size=200), st.sampled_from([4, 5]))
def test_noise_is_a_packet_or_is_told_to_be_none(noise: bytes, version: int) -> None:
    with contextlib.suppress(MqttError):
        for first, body in Framer(2**20).feed(noise):
            assert parse(first, body, version)


@given(st.integers(0, wire.LONGEST_VARIABLE))
def test_a_variable_integer_takes_as_few_bytes_as_it_may(value: int) -> None:
    data = wire.variable(value)
    assert wire.Cursor(data).variable() == value
    assert len(data) == 1 + (value > 127) + (value > 16_383) + (value > 2_097_151)


BROKEN: dict[str, tuple[int, bytes, int]] = {
    "reserved flags": (0x63, b"\0\1", 4),
    "QoS 3": (0x36, b"\0\1a\0\1", 4),
    "DUP at QoS 0": (0x38, b"\0\1a", 4),
    "packet id 0": (0x32, b"\0\1a\0\0", 4),
    "U+0000 in a topic": (0x30, b"\0\1\0", 4),
    "topic that is not UTF-8": (0x30, b"\0\1\xff", 4),
    "string beyond the end": (0x30, b"\0\5ab", 4),
    "subscribe without a topic": (0x82, b"\0\1", 4),
    "subscribe at QoS 3": (0x82, b"\0\1\0\1a\3", 4),
    "options of 5 in 3.1.1": (0x82, b"\0\1\0\1a\4", 4),
    "ping with a body": (0xC0, b"x", 4),
    "AUTH in 3.1.1": (0xF0, b"", 4),
    "type 0": (0x00, b"", 5),
    "property of another packet": (0x30, b"\0\1a\2\x24\1", 5),
    "property twice": (0x30, b"\0\1a\4\1\1\1\1", 5),
    "unknown property": (0x30, b"\0\1a\2\x7e\1", 5),
    "long variable integer": (0x30, b"\0\1a\x80\0", 5),
    "connect with a reserved flag": (0x10, b"\0\4MQTT\4\3\0\0\0\1c", 4),
    "will flags without a will": (0x10, b"\0\4MQTT\4\x0a\0\0\0\1c", 4),
    "other protocol": (0x10, b"\0\2hj\4\2\0\0\0\1c", 4),
    "MQTT 3.1": (0x10, b"\0\6MQIsdp\3\2\0\0\0\1c", 4),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_the_standard_forbids_is_refused(case: str) -> None:
    first, body, version = BROKEN[case]
    with pytest.raises(MqttError):
        parse(first, body, version)


def test_a_packet_larger_than_allowed_is_refused_before_it_has_come() -> None:
    with pytest.raises(MqttError) as told:
        list(Framer(100).feed(b"\x30\xff\x7f"))
    assert told.value.reason == 0x95
