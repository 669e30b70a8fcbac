"""The listener over real sockets: what is answered is on the stream's disk, and nothing else is answered."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.support.infrastructure.listeners.hj212.answers import answers
from haitang.support.infrastructure.listeners.hj212.frame import Frame, Framer
from haitang.support.infrastructure.listeners.hj212.packet import compose, framed, parse
from haitang.support.infrastructure.listeners.hj212.station import NotAnsweredError, Station
from haitang.support.infrastructure.things import actions
from haitang.support.infrastructure.things.listening import hj212
from haitang.support.infrastructure.things.models import Thing
from tests.support.infrastructure.listeners.hj212.conftest import Listening
from tests.support.infrastructure.listeners.hj212.samples import lines, packets

HOUR = timedelta(hours=1)


async def database(work: Callable[[], Any]) -> Any:
    """Run off the loop, and hang up: a connection left open would hold the server at the end."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(run)


async def thing(mn: str, **fields: Any) -> Any:
    return await database(lambda: Thing.objects.create(id=f"t_{mn}", title=mn, device="air_station", mn=mn, **fields))


def last_hour() -> Any:
    return clock.now().replace(minute=0, second=0, microsecond=0) - HOUR


async def answers_to(port: int, sent: list[bytes], wanted: int) -> list[bytes]:
    """Send all, and read until `wanted` answers came, or a second of silence."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    framer, got = Framer(), list[bytes]()
    for packet in sent:
        writer.write(packet)
    await writer.drain()
    while len(got) < wanted + 1:
        try:
            chunk = await asyncio.wait_for(reader.read(65536), 60 if len(got) < wanted else 0.5)
        except TimeoutError:
            break
        if not chunk:
            break
        got += [f.segment for f in framer.feed(chunk) if isinstance(f, Frame)]
    writer.close()
    return got


def test_a_station_is_answered_once_its_values_are_on_the_stream(listening: Listening) -> None:
    async def play() -> None:
        await thing("M1", origin="replay")
        async with listening() as platform, Station("127.0.0.1", platform.port, mn="M1") as station:
            await station.hour(last_hour(), {"a34004": 35.0, "a21005": 0.8})
            (batch,) = await platform.stored()
            assert [(o.thing, o.property, o.statistic, o.number, o.unit, o.origin) for o in batch.observations] == [
                ("t_M1", "pm2_5", "mean", 35.0, "ug/m3", "replay"), ("t_M1", "co", "mean", 0.8, "mg/m3", "replay"),
            ]  # fmt: skip
            assert batch.release == "r1"
        heard = await database(lambda: Thing.objects.get(mn="M1"))
        assert heard.last_seen is not None

    asyncio.run(play())


def test_every_recorded_packet_gets_the_answer_of_its_command_and_flag(listening: Listening) -> None:
    rows = packets()

    async def play() -> None:
        async with listening(admit=True) as platform:
            good = [parse(row["packet"].encode()[6:-4]) for row in rows if row["crc_ok"]]
            expected = [(p.qn, a.cn) for p in good for a in answers(p, now=clock.now())]
            got = await answers_to(platform.port, [row["packet"].encode() + b"\r\n" for row in rows], len(expected))
            assert [(parse(s).qn, parse(s).cn) for s in got] == expected
            assert {cn for _, cn in expected} == {"9014", "9013", "9011", "9012", "1011"}
            batches = await platform.stored()
            kept = {o.source_ref for b in batches for o in b.observations} | {s.source_ref for b in batches for s in b.set_aside}
            assert kept == {p.ref for p in good if p.cn not in ("9011", "9012", "9013", "9014")}
            assert any(o.property == "ph" for b in batches for o in b.observations)
            await platform.until_told(bad_crc=sum(not row["crc_ok"] for row in rows), received=len(rows))
            assert await database(Thing.objects.filter(status="provisional").count) == len({p.mn for p in good})

    asyncio.run(play())


def test_samples_of_all_editions_over_one_port(listening: Listening) -> None:
    sent = [
        line
        for name in ("wild-valid.txt", "wild-bad-crc.txt", "2025-official-plain.txt", "2025-official-encrypted.txt")
        for line in lines(name)
    ]

    async def play() -> None:
        await thing("010000A8900016F000169DC0", sm4_key="0" * 16)
        async with listening(admit=True) as platform:
            got = [parse(s) for s in await answers_to(platform.port, sent, 9)]
            # wild 2061 and 2011 with A=1; 2025: 1011, then 2051 four times, plain and encrypted
            assert [p.cn for p in got] == ["9014", "9014", "9011", "1011", "9012", "9014", "9014", "9014", "9014"]
            assert [p.flag for p in got] == [4, 8, 8, 8, 8, 8, 8, 8, 8]

    asyncio.run(play())


def test_an_unadmitted_or_retired_station_is_not_answered_and_is_shown_knocking(listening: Listening) -> None:
    async def play() -> None:
        await thing("OLD", status="retired")
        async with listening() as platform:
            for mn in ("STRANGER", "OLD"):
                async with Station("127.0.0.1", platform.port, mn=mn, timeout=0.3, tries=2) as station:
                    with pytest.raises(NotAnsweredError):
                        await station.instant(clock.now(), {"a34004": 1.0})
            assert await platform.stored() == []
            await platform.until_told(unadmitted=4)
            assert {mn: k["count"] for mn, k in hj212(platform.run)["knocking"].items()} == {"STRANGER": 2, "OLD": 2}
        async with listening(admit=True) as platform, Station("127.0.0.1", platform.port, mn="OLD", timeout=0.3, tries=1) as station:
            with pytest.raises(NotAnsweredError):
                await station.instant(clock.now(), {"a34004": 1.0})

    asyncio.run(play())


def test_a_station_from_another_network_is_not_answered(listening: Listening) -> None:
    async def play() -> None:
        await thing("NEAR", address="127.0.0.0/8")
        await thing("FAR", address="10.1.0.0/16")
        async with listening() as platform:
            async with Station("127.0.0.1", platform.port, mn="NEAR") as station:
                await station.instant(clock.now(), {"a34004": 1.0})
            async with Station("127.0.0.1", platform.port, mn="FAR", timeout=0.3, tries=1) as station:
                with pytest.raises(NotAnsweredError):
                    await station.instant(clock.now(), {"a34004": 1.0})

    asyncio.run(play())


def test_a_station_admitted_while_it_knocks_is_answered_soon(listening: Listening) -> None:
    async def play() -> None:
        async with listening() as platform, Station("127.0.0.1", platform.port, mn="LATER", timeout=0.3, tries=200) as station:
            asking = asyncio.create_task(station.instant(clock.now(), {"a34004": 1.0}))
            await asyncio.sleep(0.5)
            await thing("LATER")
            await asyncio.wait_for(asking, 60)

    asyncio.run(play())


def test_a_wrong_password_is_answered_kept_and_not_believed(listening: Listening) -> None:
    async def play() -> None:
        await thing("M1", password="secret")
        async with listening() as platform:
            async with Station("127.0.0.1", platform.port, mn="M1", password="123456") as station:
                await station.hour(last_hour(), {"a34004": 35.0})
                assert (await station.ask("1011", "PolId=a34004")).cp == "QnRtn=3"
            async with Station("127.0.0.1", platform.port, mn="M1", password="secret") as station:
                await station.hour(last_hour(), {"a34004": 35.0})
            batches = await platform.stored()
            assert [s.reason for b in batches for s in b.set_aside] == ["wrong_password", "wrong_password"]
            assert sum(len(b.observations) for b in batches) == 1

    asyncio.run(play())


def test_an_encrypted_station_needs_the_right_key(listening: Listening) -> None:
    async def play() -> None:
        key = b"0123456789abcdef"
        await thing("M1", sm4_key=key.decode())
        await thing("M2")
        await thing("M3", sm4_key="another-key-16ch")
        async with listening() as platform:
            for mn in ("M1", "M2"):
                async with Station("127.0.0.1", platform.port, mn=mn, key=key, flag=8) as station:
                    await station.hour(last_hour(), {"a34004": 35.0})
            async with Station("127.0.0.1", platform.port, mn="M3", key=key, flag=8, timeout=0.5, tries=1) as station:
                with pytest.raises(NotAnsweredError):
                    await station.hour(last_hour(), {"a34004": 35.0})
            batches = await platform.stored()
            assert [o.thing for b in batches for o in b.observations] == ["t_M1"]
            assert [(s.thing, s.reason) for b in batches for s in b.set_aside] == [("t_M2", "decryption_failed")]

    asyncio.run(play())


def test_each_part_of_a_split_packet_is_answered_and_shares_its_time(listening: Listening) -> None:
    async def play() -> None:
        await thing("M1")
        told = {"st": "22", "cn": "2011", "mn": "M1", "pw": "1", "qn": "20261123120000001", "flag": 7}
        sent = [
            framed(compose(**told, cp="DataTime=20261123110000;a34004-Rtd=1", part=(2, 1))),  # type: ignore[arg-type]
            framed(compose(**told, cp="a21005-Rtd=2", part=(2, 2))),  # type: ignore[arg-type]
        ]
        async with listening() as platform:
            got = await answers_to(platform.port, sent, 2)
            assert [parse(s).cn for s in got] == ["9014", "9014"]
            seen = [o for b in await platform.stored() for o in b.observations]
            assert [o.property for o in seen] == ["pm2_5", "co"]
            assert seen[0].period_start == seen[1].period_start

    asyncio.run(play())


def test_a_station_that_sends_far_ahead_gets_every_answer_in_the_order_of_its_packets(listening: Listening) -> None:
    """More than may wait for their answers: reading pauses and goes on. Half-closed after the last one, it still hears them all."""
    at = f"{last_hour().astimezone(clock.CHINA):%Y%m%d%H%M%S}"
    qns = [f"{at}{n:03d}" for n in range(900)]
    sent = [
        framed(compose(st="22", cn="2011", mn="M1", pw="1", qn=qn, flag=5, cp=f"DataTime={at};a34004-Rtd={n % 90}"))
        for n, qn in enumerate(qns)
    ]

    async def play() -> None:
        await thing("M1")
        async with listening() as platform:
            reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
            writer.write(b"".join(sent))
            writer.write_eof()
            framer, got = Framer(), list[str]()
            async with asyncio.timeout(60):
                while chunk := await reader.read(65536):
                    got += [parse(f.segment).qn for f in framer.feed(chunk) if isinstance(f, Frame)]
            writer.close()
            assert got == qns
            assert sum(len(b.observations) for b in await platform.stored()) == len(qns)

    asyncio.run(play())


@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_when_nats_is_killed_under_load(listening: Listening) -> None:
    async def play() -> None:
        for n in range(8):
            await thing(f"M{n}")
        async with listening() as platform:
            answered: set[tuple[str, int]] = set()

            async def send(n: int) -> None:
                async with Station(
                    "127.0.0.1", platform.port, mn=f"M{n}", timeout=120
                ) as station:  # else what it sends again is there twice
                    for hour in range(1, 101):
                        await station.hour(last_hour() - hour * HOUR, {"a34004": float(hour)})
                        answered.add((f"t_M{n}", hour))

            sending = [asyncio.create_task(send(n)) for n in range(8)]
            for part in (200, 500):  # of 800: the server dies while stations send, however fast the machine is
                while len(answered) < part:
                    await asyncio.sleep(0.001)
                platform.nats.kill()
                await asyncio.sleep(0.2)
                await asyncio.to_thread(platform.nats.start)
            await asyncio.gather(*sending)
            stored = [(o.thing, int(o.number or 0)) for b in await platform.stored() for o in b.observations]
            assert len(answered) == 800
            assert answered <= set(stored)
            assert len(stored) == len(set(stored)), "a batch published again under its id is one"

    asyncio.run(play())


def test_a_replayed_thing_is_marked_by_an_action_with_evidence(declared: None, db: None) -> None:
    made = Thing.objects.create(id="t", title="t", mn="M")
    with acting(system("operator")) as act:
        actions.set_origin(act=act, thing=made, origin="replay")
        assert len(act.records) == 1
    assert Thing.objects.get(pk="t").origin == "replay"
