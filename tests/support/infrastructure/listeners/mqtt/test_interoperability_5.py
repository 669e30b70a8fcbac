"""What Eclipse's interoperability suite asks of a server in MQTT 5 alone, as far as it concerns a device that publishes."""

import asyncio
from typing import Any

import pytest
from paho.mqtt.subscribeoptions import SubscribeOptions

from tests.support.infrastructure.listeners.conftest import Platform
from tests.support.infrastructure.listeners.mqtt.device import Device, properties
from tests.support.infrastructure.listeners.mqtt.test_interoperability import DOWN, UP, expect_state, leq, play, queued
from tests.waiting import until

pytestmark = [pytest.mark.parametrize("version", [5]), pytest.mark.django_db(transaction=True)]


def test_a_topic_alias_stands_for_its_topic_until_the_connection_ends(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        device = await Device(platform.port, version, issued).connect()
        assert device.given.TopicAliasMaximum > 0
        await device.publish(UP, leq(50), properties=properties("PUBLISH", TopicAlias=1))
        await device.publish("", leq(51), properties=properties("PUBLISH", TopicAlias=1))
        await device.leave()
        assert sorted(o.number or 0 for o in await platform.observations()) == [50, 51]
        back = await Device(platform.port, version, issued).connect()
        await back.publish("", leq(52), properties=properties("PUBLISH", TopicAlias=1))
        assert back.ended.value == 0x82
        high = await Device(platform.port, version, issued).connect()
        await high.publish(UP, leq(53), properties=properties("PUBLISH", TopicAlias=high.given.TopicAliasMaximum + 1))
        assert high.ended.value == 0x94

    play(mqtt, body)


def test_a_command_larger_than_the_device_takes_is_not_sent(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect(MaximumPacketSize=64)
        await device.subscribe(DOWN)
        made = await queued(platform)
        await expect_state(platform, made, "failed")
        assert device.messages == []
        await device.leave()

    play(mqtt, body)


def test_no_more_commands_are_under_way_than_the_device_takes(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1"), manual_ack=True).connect(ReceiveMaximum=2)
        for _ in range(3):
            await queued(platform)
        await device.subscribe(DOWN)
        await until(lambda: len(device.messages) == 2)
        await asyncio.sleep(1.2)
        assert len(device.messages) == 2
        device.client.ack(device.messages[0].mid, 1)
        await until(lambda: len(device.messages) == 3)
        await device.leave()

    play(mqtt, body)


def test_more_messages_under_way_than_the_receive_maximum_end_the_connection(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        from haitang.support.infrastructure.listeners.mqtt.packets import Connect, Publish
        from haitang.support.infrastructure.listeners.mqtt.writing import written

        issued = await platform.thing("n1")
        reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
        writer.write(written(Connect("c", 5, True, 60, issued.credential.identifier, issued.secret.encode()), 5))
        writer.write(b"".join(written(Publish(UP, leq(50).encode(), 2, number), 5) for number in range(1, 102)))
        assert (await asyncio.wait_for(reader.read(), 60)).endswith(b"\xe0\x01\x93")
        writer.close()

    play(mqtt, body)


def test_a_server_keep_alive_is_told_to_who_asks_for_none(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        none = await Device(platform.port, version, issued, keepalive=0).connect()
        some = await Device(platform.port, version, issued, "c2", keepalive=120).connect()
        assert none.given.ServerKeepAlive == 3600
        assert not hasattr(some.given, "ServerKeepAlive")
        await asyncio.gather(none.leave(), some.leave())

    play(mqtt, body)


def test_a_will_waits_for_its_delay_but_not_beyond_its_session(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        for expiry, value in ((600, 60), (0, 61)):
            device = Device(platform.port, version, issued)
            device.client.will_set(UP, leq(value), 1, properties=properties("WILLMESSAGE", WillDelayInterval=300))
            await device.connect(SessionExpiryInterval=expiry)
            await device.vanish()
            await asyncio.sleep(0.4)
        assert [o.number for o in await platform.arrived()] == [61]

    play(mqtt, body)


def test_a_subscription_identifier_is_refused_as_was_told(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        assert device.given.SubscriptionIdentifierAvailable == 0
        device.client.subscribe(DOWN, options=SubscribeOptions(1), properties=properties("SUBSCRIBE", SubscriptionIdentifier=5))
        await until(lambda: device.ended is not None)
        assert device.ended.value == 0xA1

    play(mqtt, body)


def test_the_id_in_a_user_property_makes_a_message_sent_twice_one(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        await device.publish(UP, leq(50), properties=properties("PUBLISH", UserProperty=("id", "m-1")))
        await device.leave()
        assert [o.source_ref for o in await platform.observations()] == ["m-1"]

    play(mqtt, body)
