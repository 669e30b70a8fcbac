"""Commands of the platform: over real sockets with a station that answers as the standard says, or does not."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haitang.base.actions import acting, system
from haitang.base.clock import CHINA
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.commands import actions
from haitang.support.infrastructure.commands.models import DeviceCommand
from haitang.support.infrastructure.listeners.hj212 import commands, crypto, exchange, sender
from haitang.support.infrastructure.listeners.hj212.exchange import Exchange
from haitang.support.infrastructure.listeners.hj212.frame import Frame, Framer
from haitang.support.infrastructure.listeners.hj212.packet import Packet, compose, framed, parse
from haitang.support.security.evidence.models import EvidenceRecord
from tests.support.infrastructure.listeners.hj212.conftest import Listening
from tests.support.infrastructure.listeners.hj212.samples import lines
from tests.support.infrastructure.listeners.hj212.test_listener import database, thing

Answer = Callable[[Packet], list[tuple[str, str]]]


class Device:
    """A station's program: says hello, then answers each request by `answer`: (CN, CP) each. Notes what it was asked."""

    def __init__(self, port: int, mn: str, answer: Answer, *, flag: int = 4, key: bytes | None = None) -> None:
        self._port, self._mn, self._answer, self._flag, self._key = port, mn, answer, flag, key
        self.asked: list[Packet] = []
        self.wire: list[bytes] = []

    async def __aenter__(self) -> "Device":
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.say("9015", "", "20260101000000000")
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        self._writer.close()

    def say(self, cn: str, cp: str, qn: str, flag: int | None = None) -> None:
        flag = self._flag if flag is None else flag
        system_code = "91" if cn.startswith("901") else "22"
        self._writer.write(framed(compose(st=system_code, cn=cn, mn=self._mn, pw="123456", qn=qn, flag=flag, cp=cp)))

    async def _listen(self) -> None:
        framer = Framer()
        while chunk := await self._reader.read(65536):
            for frame in framer.feed(chunk):
                if isinstance(frame, Frame) and b"ST=91" not in frame.segment:
                    self.wire.append(frame.segment)
                    packet = parse(crypto.reveal(frame.segment, self._key) if frame.encrypted and self._key else frame.segment)
                    self.asked.append(packet)
                    for cn, cp in self._answer(packet):
                        self.say(cn, cp, packet.qn)


def obeys(packet: Packet) -> list[tuple[str, str]]:
    return [("9011", "QnRtn=1"), ("9012", "ExeRtn=1")]


async def ask(mn: str, cn: str, **given: str) -> DeviceCommand:
    def run() -> DeviceCommand:
        from haitang.support.infrastructure.things.queries import by_mn

        found = by_mn(mn)
        assert found
        with acting(system("hj212")) as act:
            return actions.command(act=act, thing=found, name=cn, parameters=given)

    return await database(run)  # type: ignore[no-any-return]


async def ended(asked: DeviceCommand | None = None, *, state: str = "") -> DeviceCommand:
    """The command once it is in `state` (else: once it is over)."""

    def look() -> DeviceCommand:
        return DeviceCommand.objects.get(pk=asked.pk) if asked else DeviceCommand.objects.get()

    for _ in range(600):
        found: DeviceCommand = await database(look)
        if found.state == state or (not state and found.state not in DeviceCommand.OPEN):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found.state)


def play(listening: Listening, answer: Answer, cn: str, **given: str) -> tuple[DeviceCommand, list[Packet]]:
    async def run() -> tuple[DeviceCommand, list[Packet]]:
        await thing("M1", password="123456")
        async with listening() as platform, Device(platform.port, "M1", answer) as device:
            found = await ended(await ask("M1", cn, **given))
            return found, device.asked

    return asyncio.run(run())


def test_a_command_is_sent_carried_out_and_evident(listening: Listening) -> None:
    found, (packet,) = play(listening, obeys, "1062", RtdInterval="60")
    assert (found.state, found.tries, found.reason) == ("done", 1, "")
    assert (packet.st, packet.cn, packet.pw, packet.cp, packet.flag, len(packet.qn)) == ("22", "1062", "123456", "RtdInterval=60", 5, 17)
    steps = EvidenceRecord.objects.filter(subject_id="t_M1", action__startswith="things.").values_list("action", "facts__state")
    assert ("things.note_command", "done") in list(steps)


def test_a_refusal_says_why(listening: Listening) -> None:
    said = {
        "1061": [("9011", "QnRtn=2")],
        "1063": [("9011", "QnRtn=3")],
        "1011": [("9011", "QnRtn=1"), ("9012", "ExeRtn=5")],
        "1012": [("9011", "QnRtn=1"), ("9012", "ExeRtn=77")],
    }

    async def run() -> list[tuple[str, str]]:
        await thing("M1")
        async with listening() as platform, Device(platform.port, "M1", lambda packet: said[packet.cn]):
            found = [await ended(await ask("M1", cn)) for cn in said]
            return [(each.state, each.reason) for each in found]

    assert asyncio.run(run()) == [("failed", "请求被拒绝"), ("failed", "PW 错误"), ("failed", "系统繁忙"), ("failed", "ExeRtn=77")]


def test_history_is_fetched_stored_and_counted(listening: Listening) -> None:
    def history(packet: Packet) -> list[tuple[str, str]]:
        hours = [("2061", f"DataTime=202601010{hour}0000;a34004-Avg={hour}.5,a34004-Flag=N") for hour in (8, 9)]
        return [("9011", "QnRtn=1"), *hours, ("9012", "ExeRtn=1")]

    async def run() -> None:
        await thing("M1")
        async with listening() as platform, Device(platform.port, "M1", history) as device:
            found = await ended(await ask("M1", "2061", BeginTime="2026-01-01T08:00", EndTime="2026-01-01T09:00"))
            assert (found.state, found.packets) == ("done", 2)
            assert device.asked[0].cp == "BeginTime=20260101080000;EndTime=20260101090000"
            await platform.until_told(published=2)  # that the station is done says nothing of the stream
            assert [o.number for batch in await platform.stored() for o in batch.observations] == [8.5, 9.5]

    asyncio.run(run())


def test_a_silent_station_is_asked_three_times(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "Exchange", lambda qn: Exchange(qn, answered=0.3))
    found, asked = play(listening, lambda packet: [], "1061")
    assert (found.state, found.reason, found.tries) == ("failed", exchange.NO_ANSWER, 3)
    assert len({packet.qn for packet in asked}) == 1
    assert len(asked) == 3


def test_the_notice_1013_is_followed_by_the_time(listening: Listening) -> None:
    async def run() -> None:
        await thing("M1")
        async with listening() as platform, Device(platform.port, "M1", obeys) as device:
            device.say("1013", "PolId=a34004", "20260101000000001", flag=5)
            found = await ended_once()
            assert (found.name, found.state, found.issued_by) == ("1012", "done", "system:hj212")
            told = datetime.strptime(device.asked[0].values["systemtime"], "%Y%m%d%H%M%S").replace(tzinfo=CHINA)
            assert abs((found.ended_at - told).total_seconds()) < 60

    async def ended_once() -> DeviceCommand:
        for _ in range(600):
            if await database(DeviceCommand.objects.exists):
                return await ended()
            await asyncio.sleep(0.05)
        raise AssertionError("1013 was not followed")

    asyncio.run(run())


def test_a_command_waits_for_its_station_and_may_be_withdrawn(listening: Listening) -> None:
    async def run() -> None:
        await thing("M1")
        async with listening() as platform:
            withdrawn, waiting = await ask("M1", "1061"), await ask("M1", "1063")
            await database(lambda: take_back(withdrawn))
            async with Device(platform.port, "M1", obeys) as device:
                assert (await ended(waiting)).state == "done"
                assert [packet.cn for packet in device.asked] == ["1063"]
        assert (await ended(withdrawn)).state == "withdrawn"

    asyncio.run(run())


def take_back(asked: DeviceCommand) -> None:
    with acting(system("operator")) as act:
        actions.withdraw(act=act, command=asked)


def test_a_restart_says_that_the_outcome_is_not_known(listening: Listening) -> None:
    async def run() -> None:
        await thing("M1")
        async with listening() as platform, Device(platform.port, "M1", lambda packet: [("9011", "QnRtn=1")]):
            asked = await ask("M1", "1061")
            await ended(asked, state="acknowledged")
        async with listening():
            found = await ended(asked)
        assert (found.state, found.reason) == ("failed", sender.RESTARTED)

    asyncio.run(run())


def test_what_2025_has_encrypted_is(listening: Listening) -> None:
    key = b"msbE74gsiSHSEh5e"

    async def run() -> None:
        await thing("M1", sm4_key=key.decode())
        async with listening() as platform, Device(platform.port, "M1", obeys, flag=8, key=key) as device:
            await ended(await ask("M1", "2031", BeginTime="2026-01-01T00:00", EndTime="2026-01-02T00:00"))
            await ended(await ask("M1", "1061"))
            assert b"BeginTime" not in device.wire[0]
            assert device.asked[0].values["begintime"] == "20260101000000"
            assert [packet.flag for packet in device.asked] == [9, 9]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("cn", "given"),
    [
        ("1062", {"RtdInterval": "29"}), ("1062", {"RtdInterval": "abc"}), ("1064", {"MinInterval": "7"}), ("1062", {}),
        ("2061", {"BeginTime": "2026-01-02T00:00", "EndTime": "2026-01-01T00:00"}),
        ("2061", {"BeginTime": "2025-01-01T00:00", "EndTime": "2026-01-01T00:00"}),
        ("3012", {"PolId": "a;CP=&&"}), ("2061", {"BeginTime": "gestern", "EndTime": "2026-01-01T00:00"}),
    ],
)  # fmt: skip
def test_what_a_packet_must_not_carry_is_refused(cn: str, given: dict[str, str]) -> None:
    with pytest.raises(HaitangError) as refused:
        commands.COMMANDS[cn].values(given)
    assert refused.value.kind is commands.BAD_VALUE


def test_the_content_is_that_of_the_standards_own_examples() -> None:
    """HJ 212-2017 appendix C, requests whose values a person fills in."""
    examples = [
        parse(frame.segment) for frame in Framer().feed(b"".join(lines("2017-appendix-c-framed-by-us.txt"))) if isinstance(frame, Frame)
    ]
    requests = [p for p in examples if p.wants_answer and p.cn in commands.COMMANDS and p.cn != "1012" and "datatime" not in p.values]
    assert len(requests) > 8
    now = datetime(2016, 8, 1, 8, 58, 57, tzinfo=CHINA)
    for packet in requests:
        known = commands.COMMANDS[packet.cn]
        values = {field.name: packet.values[field.name.lower()] for field in known.fields if field.name.lower() in packet.values}
        assert known.content(values, now).replace("PolId", "polid") == packet.cp.replace("PolId", "polid"), packet.cp


@given(st.lists(st.tuples(st.sampled_from(["9011", "9012", "9013", "2061", "tick"]), st.sampled_from(["1", "2", "5", ""])), max_size=30))
def test_an_exchange_ends_once_and_asks_no_more_than_three_times(said: list[tuple[str, str]]) -> None:
    found, now, sent, over = Exchange("q"), 0.0, 0, ""
    for cn, code in said:
        now += 11
        if cn == "tick":
            sent += found.tick(now)
        else:
            found.heard(Packet("22", cn, "m", qn="q", values={"qnrtn": code, "exertn": code} if code else {}), now)
        assert not over or found.state == over
        over = "" if found.open else found.state
    while found.open:
        now += 200
        sent += found.tick(now)
    assert sent <= 3
    assert found.state in ("done", "refused", "failed", "timed_out")
    assert bool(found.reason) == (found.state != "done")


def test_a_thing_that_is_no_admitted_station_is_not_commanded(db: Any) -> None:
    from haitang.support.infrastructure.things.models import Thing

    retired = Thing.objects.create(id="r", title="r", mn="R", status=Thing.RETIRED)
    with pytest.raises(HaitangError) as refused, acting(system("hj212")) as act:
        actions.command(act=act, thing=retired, name="1061")
    assert refused.value.kind is actions.RETIRED
