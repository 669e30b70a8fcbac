"""What Eclipse's interoperability suite asks of a server, as far as it concerns a device that publishes: with paho-mqtt, in both versions.

Cases by name of that suite: basic, retained, will message, zero-length client id, offline queueing, keep-alive, redelivery, subscribe failure, unsubscribe; of 5
also session expiry, client topic alias, maximum packet size, server keep-alive, flow control, will delay, assigned client id, shared subscriptions,
subscription identifiers, request and user properties. What concerns subscribers of others' topics has no counterpart: this is no broker.
"""

import asyncio
import json
import time
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from haitang.base.actions import acting, system
from haitang.support.infrastructure.commands.actions import command
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.things.models import Thing
from tests.support.infrastructure.listeners.conftest import Platform
from tests.support.infrastructure.listeners.mqtt.device import Device, properties
from tests.waiting import until

pytestmark = [pytest.mark.parametrize("version", [3, 5]), pytest.mark.django_db(transaction=True)]
UP = "things/n1/observations"
DOWN = "things/n1/commands"


def leq(value: float) -> str:
    return json.dumps({"property": "leq", "value": value, "at": "2026-03-01T08:00:00+08:00"})


def play(mqtt: Any, body: Any) -> None:
    async def run() -> None:
        async with mqtt() as platform:
            await body(platform)

    asyncio.run(run())


def restart(thing: str = "n1", **more: Any) -> DeviceCommand:
    with acting(system("operator")) as act:
        return command(act=act, thing=Thing.objects.get(pk=thing), name="restart", parameters={"delay": 5}, **more)


async def queued(platform: Platform, **more: Any) -> DeviceCommand:
    return await platform.database(restart, **more)  # type: ignore[no-any-return]


def test_basic_messages_of_each_qos_are_stored_and_acknowledged(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        assert not device.present
        for qos in (0, 1, 2):
            await device.publish(UP, leq(50 + qos), qos)
        await device.leave()
        assert sorted(o.number or 0 for o in await platform.observations()) == [50, 51, 52]
        assert not device.ended.is_failure

    play(mqtt, body)


def test_a_second_connect_on_one_socket_ends_it(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        device.client._send_connect(60)
        await until(lambda: device.ended is not None)
        assert version == 3 or device.ended == ReasonCode(PacketTypes.DISCONNECT, "Protocol error")

    play(mqtt, body)


def test_another_protocol_name_is_not_served(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
        writer.write(b"\x10\x0e\0\x02hj" + bytes([version + 1 if version == 3 else 5]) + b"\x02\0\x3c\0\x04abcd")
        assert await asyncio.wait_for(reader.read(), 60) == b"\x20\x02\0\x01"
        writer.close()

    play(mqtt, body)


def test_a_retained_message_is_stored_as_any_other_or_refused(mqtt: Any, version: int) -> None:
    """5 tells beforehand that nothing is retained; 3.1.1 has no word for it."""

    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        await device.publish(UP, leq(50), 1, retain=True)
        if version == 5:
            assert device.given.RetainAvailable == 0
            assert device.ended.value == 0x9A
        assert len(await platform.observations()) == (1 if version == 3 else 0)

    play(mqtt, body)


def test_the_will_of_a_device_that_vanishes_is_stored(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = Device(platform.port, version, await platform.thing("n1"))
        device.client.will_set(UP, leq(66), 1)
        await device.connect()
        await device.vanish()
        assert [o.number for o in await platform.arrived()] == [66]

    play(mqtt, body)


def test_the_will_of_a_device_that_takes_its_leave_is_not(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = Device(platform.port, version, await platform.thing("n1"))
        device.client.will_set(UP, leq(66), 1)
        await device.connect()
        await device.leave()
        await asyncio.sleep(0.3)
        assert await platform.observations() == []

    play(mqtt, body)


def test_a_will_for_another_device_is_refused_at_once(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = Device(platform.port, version, await platform.thing("n1"))
        device.client.will_set("things/n2/observations", leq(66), 1)
        await device.connect()
        assert device.connack.is_failure
        await device.leave()

    play(mqtt, body)


def test_a_client_id_of_no_length_is_given_one_where_the_session_is_clean(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        clean = await Device(platform.port, version, issued, "", clean=True).connect()
        assert not clean.connack.is_failure
        assert version == 3 or clean.given.AssignedClientIdentifier.startswith("haitang-")
        await clean.leave()
        if version == 3:
            writer_answer = await raw_connect(platform, issued.credential.identifier, issued.secret, clean=False)
            assert writer_answer == b"\x20\x02\x00\x02"
        else:
            kept = await Device(platform.port, version, issued, "", clean=False).connect()
            assert not kept.connack.is_failure
            await kept.leave()

    play(mqtt, body)


async def raw_connect(platform: Platform, username: str, password: str, *, clean: bool) -> bytes:
    from haitang.support.infrastructure.listeners.mqtt.packets import Connect
    from haitang.support.infrastructure.listeners.mqtt.writing import written

    reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
    writer.write(written(Connect("", 4, clean, 60, username, password.encode()), 4))
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return answer


def test_a_silent_device_is_given_up_after_one_and_a_half_keep_alives(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        from haitang.support.infrastructure.listeners.mqtt.packets import Connect, Will
        from haitang.support.infrastructure.listeners.mqtt.writing import written

        issued, level = await platform.thing("n1"), 4 if version == 3 else 5
        begun = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
        will = Will(UP, leq(77).encode(), 1)
        writer.write(written(Connect("c", level, True, 1, issued.credential.identifier, issued.secret.encode(), will), level))
        answer = await asyncio.wait_for(reader.read(), 60)
        assert time.monotonic() - begun > 1.4
        assert version == 3 or answer.endswith(b"\xe0\x01\x8d")
        writer.close()
        assert [o.number for o in await platform.arrived()] == [77]

    play(mqtt, body)


def test_a_device_hears_its_own_commands_only(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        granted = [await device.subscribe(topic) for topic in (DOWN, "things/n2/commands", "#", "$share/g/things/n1/commands", UP)]
        assert [g[0].value for g in granted] == [1, *([0x80] * 4 if version == 3 else [0x87, 0x87, 0x9E, 0x87])]
        await device.leave()

    play(mqtt, body)


def test_after_unsubscribing_no_command_comes(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        await device.subscribe(DOWN)
        device.client.unsubscribe(DOWN)
        await until(lambda: device.unsubscribed)
        await queued(platform)
        await asyncio.sleep(1.5)
        assert device.messages == []
        await device.leave()

    play(mqtt, body)


def test_a_command_queued_while_the_device_is_away_is_delivered_when_it_is_back(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        kept: dict[str, Any] = {"SessionExpiryInterval": 600} if version == 5 else {}
        device = await Device(platform.port, version, issued, clean=False).connect(**kept)
        await device.subscribe(DOWN)
        await device.leave()
        made = await queued(platform)
        back = await Device(platform.port, version, issued, clean=False).connect(**kept)
        assert back.present
        await until(lambda: back.messages)
        told = json.loads(back.messages[0].payload)
        assert (told["id"], told["command"], told["parameters"]) == (str(made.pk), "restart", {"delay": 5})
        assert back.messages[0].qos == 1
        await expect_state(platform, made, "acknowledged")
        await back.publish(f"{DOWN}/{made.pk}/result", '{"ok": true, "rebooted": 1}')
        await expect_state(platform, made, "done")
        await back.leave()

    play(mqtt, body)


async def expect_state(platform: Platform, made: DeviceCommand, state: str) -> None:
    for _ in range(1200):
        found = await platform.database(lambda: DeviceCommand.objects.get(pk=made.pk))
        if found.state == state:
            return
        await asyncio.sleep(0.05)
    assert found.state == state


def test_a_command_that_was_not_acknowledged_comes_again_marked_so(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        kept: dict[str, Any] = {"SessionExpiryInterval": 600} if version == 5 else {}
        device = await Device(platform.port, version, issued, clean=False, manual_ack=True).connect(**kept)
        await device.subscribe(DOWN)
        made = await queued(platform)
        await until(lambda: device.messages)
        await device.vanish()
        back = await Device(platform.port, version, issued, clean=False).connect(**kept)
        await until(lambda: back.messages)
        assert back.messages[0].dup
        await expect_state(platform, made, "acknowledged")
        await asyncio.sleep(1.2)
        assert len(back.messages) == 1
        await back.leave()

    play(mqtt, body)


def test_a_session_ends_when_it_was_to_end(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        kept: dict[str, Any] = {"SessionExpiryInterval": 1} if version == 5 else {}
        async with asyncio.timeout(60):
            present = True
            while present:  # where the server heard late of the leave, it was too early to come back
                first = await Device(platform.port, version, issued, clean=version == 3).connect(**kept)
                await first.subscribe(DOWN)
                await first.leave()
                await asyncio.sleep(1.2)
                again = await Device(platform.port, version, issued, clean=False).connect(**kept)
                present = again.present
                await again.leave()

    play(mqtt, body)


def test_the_same_client_id_again_takes_the_connection_over(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        first = await Device(platform.port, version, issued).connect()
        second = await Device(platform.port, version, issued).connect()
        await until(lambda: first.ended is not None)
        assert version == 3 or first.ended.value == 0x8E
        await second.publish(UP, leq(50))
        other = await Device(platform.port, version, await platform.thing("n2")).connect()
        assert not other.connack.is_failure
        await second.publish(UP, leq(51))
        assert second.ended is None, "another device with the same client id disturbs nobody"
        await asyncio.gather(second.leave(), other.leave())

    play(mqtt, body)


def test_a_qos_2_message_that_is_sent_again_is_stored_once(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        from haitang.support.infrastructure.listeners.mqtt.packets import Ack, Connect, Publish
        from haitang.support.infrastructure.listeners.mqtt.writing import written

        issued, level = await platform.thing("n1"), 4 if version == 3 else 5
        reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
        message = Publish(UP, b'{"property": "leq", "value": 60}', 2, 7)
        again = Publish(UP, b'{"property": "leq", "value": 60}', 2, 7, dup=True)
        writer.write(written(Connect("c", level, True, 60, issued.credential.identifier, issued.secret.encode()), level))
        await reader.readexactly((await reader.readexactly(2))[1])
        for sent, answer in ((message, b"\x50\x02\0\x07"), (again, b"\x50\x02\0\x07"), (Ack(6, 7), b"\x70\x02\0\x07")):
            writer.write(written(sent, level))
            assert await asyncio.wait_for(reader.readexactly(4), 60) == answer
        writer.close()
        assert len(await platform.observations()) == 1

    play(mqtt, body)


def test_a_packet_larger_than_the_maximum_ends_the_connection(mqtt: Any, version: int) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, version, await platform.thing("n1")).connect()
        device.client.publish(UP, b"." * 140_000, 1)
        await until(lambda: device.ended is not None)
        assert version == 3 or (device.given.MaximumPacketSize == 131_072 and device.ended.value == 0x95)

    play(mqtt, body)


def test_what_a_device_may_not_do_is_told_with_its_reason(mqtt: Any, version: int) -> None:
    """3.1.1 has no word for a refused message: there the connection ends, and nothing is acknowledged that is not stored."""

    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        device = await Device(platform.port, version, issued).connect()
        mid = await device.publish("things/n2/observations", leq(50))
        if version == 5:
            assert device.codes[device.acknowledged.index(mid)].value == 0x87
            await device.publish(UP, b"\xff", properties=properties("PUBLISH", PayloadFormatIndicator=1))
            assert device.codes[-1].value == 0x99
            await device.leave()
        else:
            assert device.ended is not None
            assert device.acknowledged == []
        assert await platform.batches() == []

    play(mqtt, body)
