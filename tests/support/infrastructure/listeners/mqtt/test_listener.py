"""The MQTT listener beyond the protocol: whose word it is, what is durable, what is set aside, who is let in no longer."""

import asyncio
import json
from typing import Any

import pytest

from haitang.base.actions import acting, system
from haitang.support.infrastructure.credentials import actions as credentials
from haitang.support.infrastructure.credentials.models import DeviceCredential
from haitang.support.infrastructure.things.actions import retire, set_origin
from haitang.support.infrastructure.things.models import Thing
from tests.support.infrastructure.listeners.conftest import Platform
from tests.support.infrastructure.listeners.mqtt.device import Device
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
UP = "things/n1/observations"


def play(mqtt: Any, body: Any) -> None:
    async def run() -> None:
        async with mqtt() as platform:
            await body(platform)

    asyncio.run(run())


def as_operator(work: Any, **arguments: Any) -> Any:
    with acting(system("operator")) as act:
        return work(act=act, **arguments)


def test_nobody_comes_in_without_the_right_secret_and_who_knocks_is_known(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        strange = await Device(platform.port, 5, None).connect()
        wrong = Device(platform.port, 5, None)
        wrong.client.username_pw_set(issued.credential.identifier, "no" + issued.secret[2:])
        await wrong.connect()
        assert strange.connack.value == 0x87
        assert wrong.connack.value == 0x86
        await asyncio.gather(strange.leave(), wrong.leave())
        await until(lambda: issued.credential.identifier in (platform.run / "mqtt.json").read_text())

    play(mqtt, body)


def test_a_revoked_credential_ends_its_connection_within_seconds(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        issued = await platform.thing("n1")
        device = await Device(platform.port, 5, issued).connect()
        await platform.database(as_operator, credentials.revoke, credential=issued.credential, reason="外泄")
        await until(lambda: device.ended is not None)
        assert device.ended.value == 0x98
        again = await Device(platform.port, 5, issued).connect()
        assert again.connack.is_failure
        await again.leave()

    play(mqtt, body)


def test_a_retired_thing_is_not_heard_any_more(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, 3, await platform.thing("n1")).connect()
        await platform.database(lambda: as_operator(retire, thing=Thing.objects.get(pk="n1"), reason="拆除"))
        await until(lambda: device.ended is not None)

    play(mqtt, body)


def test_the_old_credential_ends_when_the_new_one_is_first_used(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        old = await platform.thing("n1")
        device = await Device(platform.port, 5, old).connect()
        new = await platform.database(as_operator, credentials.rotate, credential=old.credential)
        await device.publish(UP, '{"property": "leq", "value": 50}')
        assert device.ended is None
        other = await Device(platform.port, 5, new, "c2").connect()
        await until(lambda: device.ended is not None)
        assert device.ended.value == 0x98
        assert other.ended is None
        kept = await platform.database(lambda: DeviceCredential.objects.get(pk=new.credential.pk))
        assert (kept.last_used is not None, kept.last_address) == (True, "127.0.0.1")
        await other.leave()

    play(mqtt, body)


def test_what_a_thing_marked_replay_sends_is_replay_from_the_next_second_on(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, 5, await platform.thing("n1", origin="replay")).connect()
        await device.publish(UP, '{"property": "leq", "value": 50}')
        await platform.database(lambda: as_operator(set_origin, thing=Thing.objects.get(pk="n1"), origin="live"))
        found = [o.origin for o in await platform.observations()]
        assert found == ["replay"]
        async with asyncio.timeout(60):
            while found[-1] == "replay":  # a busy machine looks later
                await asyncio.sleep(1)
                await device.publish(UP, '{"property": "leq", "value": 51}')
                found += [o.origin for o in await platform.observations()]
        await device.leave()
        assert found == ["replay"] * (len(found) - 1) + ["live"]

    play(mqtt, body)


def test_a_device_says_nothing_of_its_origin_that_would_count(mqtt: Any) -> None:
    """It could hide live data among replayed ones, or pass replayed ones off as live."""

    async def body(platform: Platform) -> None:
        device = await Device(platform.port, 5, await platform.thing("n1")).connect()
        await device.publish(UP, '{"property": "leq", "value": 50, "origin": "replay"}')
        await device.leave()
        found = await platform.batches()
        assert [o for b in found for o in b.observations] == []
        assert [(s.reason, s.origin) for b in found for s in b.set_aside] == [("not_as_agreed", "live")]

    play(mqtt, body)


def test_a_foreign_message_becomes_observations_as_its_declaration_says(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, 3, await platform.thing("g1", "gauge")).connect()
        reading = {"ts": 1772323200000, "v": {"level": 1234, "flow": "3.5"}, "avg": {"flow": 2.5}}
        late = {"ts": 1772323200000 + 86_400_000 * 5000, "v": {"level": 1}}
        odd = {"ts": 1772326800000, "v": {"level": [1]}}
        await device.publish("vendor/g1/up", json.dumps({"seq": 17, "data": [reading, late, odd]}))
        await device.leave()
        batches = await platform.batches()
        found = {(o.property, o.statistic): o for b in batches for o in b.observations}
        assert {key: o.number for key, o in found.items()} == {("level", "instant"): 12.34, ("flow", "instant"): 3.5, ("flow", "mean"): 2.5}
        mean = found["flow", "mean"]
        assert (mean.period_end - mean.period_start, mean.unit, mean.source_ref, mean.thing) == (3_600_000_000, "m3/s", "17", "g1")
        assert {s.reason for b in batches for s in b.set_aside} == {"future_time", "not_a_value"}

    play(mqtt, body)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff\xfe\0", "not_json"),
        (b"[]", "empty"),
        (b'{"property": "weight", "value": 1}', "unknown_property"),
        (b'{"property": "leq", "value": null}', "not_as_agreed"),
        (b'{"property": "leq", "value": 1, "unit": "kg"}', "wrong_unit"),
        (b'{"property": "leq", "value": 1, "at": "1970-01-01T00:00:00Z"}', "bad_time"),
        (b'{"property": "leq", "value": 1, "statistic": "mean"}', "bad_period"),
    ],
)
def test_what_cannot_be_read_is_acknowledged_and_kept_raw_with_the_reason(mqtt: Any, payload: bytes, reason: str) -> None:
    async def body(platform: Platform) -> None:
        device = await Device(platform.port, 3, await platform.thing("n1")).connect()
        mid = await device.publish(UP, payload)
        assert mid in device.acknowledged
        await device.leave()
        (aside,) = await platform.set_aside()
        assert (aside.reason, aside.thing) == (reason, "n1")
        assert aside.raw

    play(mqtt, body)


def test_a_message_is_acknowledged_only_when_the_stream_has_it(mqtt: Any) -> None:
    """The stream is away: nothing is acknowledged. It comes back: everything is, and is stored once."""

    async def body(platform: Platform) -> None:
        device = await Device(platform.port, 5, await platform.thing("n1")).connect()
        platform.nats.kill()
        for n in range(20):
            device.client.publish(UP, json.dumps({"property": "leq", "value": 50 + n}), 1)
        await asyncio.sleep(1.5)
        assert device.acknowledged == []
        await asyncio.to_thread(platform.nats.start)
        await until(lambda: len(device.acknowledged) == 20)
        await device.leave()
        assert sorted(o.number or 0 for o in await platform.observations()) == [50 + n for n in range(20)]

    play(mqtt, body)


def test_messages_of_many_devices_share_batches(mqtt: Any) -> None:
    async def body(platform: Platform) -> None:
        issued = [await platform.thing(f"n{n}") for n in range(8)]
        devices = await asyncio.gather(*(Device(platform.port, 5, each, f"c{n}").connect() for n, each in enumerate(issued)))
        for n, device in enumerate(devices):
            for value in range(40):
                device.client.publish(f"things/n{n}/observations", json.dumps({"property": "leq", "value": 30 + value}), 1)
        await until(lambda: all(len(device.acknowledged) == 40 for device in devices))
        await asyncio.gather(*(device.leave() for device in devices))
        batches = await platform.batches()
        assert sum(len(b.observations) for b in batches) == 320
        assert len(batches) < 320
        assert {b.listener for b in batches} == {"mqtt"}

    play(mqtt, body)
