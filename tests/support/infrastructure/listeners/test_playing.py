"""A recorded series by MQTT: always marked replay, stored once however often it is played, and the credential is gone afterwards."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from haitang.base import clock
from haitang.base.actions import acting, system
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.credentials.queries import current
from haitang.support.infrastructure.listeners.hj212.replay import HOUR, Played, Series, play
from haitang.support.infrastructure.listeners.playing import opened, replayed
from haitang.support.infrastructure.things.actions import register_replay, set_origin
from haitang.support.infrastructure.things.models import Thing
from tests.support.infrastructure.listeners.conftest import Platform

pytestmark = pytest.mark.django_db(transaction=True)
SERIES = Series({"recorded": [{"leq": 40.0 + hour, "weight": 1.0} for hour in range(24)]}, date(2026, 3, 1))


def registered() -> Thing:
    real = Thing.objects.create(id="n1", title="噪声一号", device="noise_meter", longitude=105.7, latitude=29.7)
    with acting(system("operator")) as act:
        return register_replay(act=act, thing=real)


def marked_live(thing: Thing) -> None:
    with acting(system("operator")) as act:
        set_origin(act=act, thing=thing, origin="live")


async def played(platform: Platform) -> Played:
    things = await asyncio.to_thread(replayed, [])
    async with opened("mqtt", things, host="127.0.0.1", mqtt=platform.port, url="") as players:
        assert [p.name for p in players] == ["replay_n1"]
        players[0].recorded = "recorded"
        return await play(SERIES, players, since=clock.now() - timedelta(hours=6))


def test_a_replay_by_mqtt_is_marked_stored_once_and_leaves_no_way_in(mqtt: Any) -> None:
    async def run() -> None:
        async with mqtt() as platform:
            await platform.database(registered)
            with clock.frozen(clock.now()):  # an hour that ended in between would be one more
                first, second = await played(platform), await played(platform)
            assert (first.values, first.unanswered, second.unanswered) == (first.hours, 0, 0)
            found = await platform.observations()
            assert {(o.thing, o.property, o.statistic, o.origin) for o in found} == {("replay_n1", "leq", "mean", "replay")}
            assert {o.period_end - o.period_start for o in found} == {HOUR // timedelta(microseconds=1)}
            assert len({(o.period_start, o.source_ref) for o in found}) == first.hours, "the same hour is the same message"
            assert not await platform.database(lambda: current().exists())

    asyncio.run(run())


def test_what_comes_by_a_replay_credential_is_replay_even_for_a_thing_that_is_live(mqtt: Any) -> None:
    async def run() -> None:
        async with mqtt() as platform:
            thing = await platform.database(lambda: Thing.objects.create(id="n9", title="n9", device="noise_meter"))
            async with opened("mqtt", [(thing, frozenset({"leq"}))], host="127.0.0.1", mqtt=platform.port, url="") as players:
                players[0].recorded = "recorded"
                await play(SERIES, players, since=clock.now() - timedelta(hours=2))
            assert {o.origin for o in await platform.observations()} == {"replay"}

    asyncio.run(run())


def test_a_thing_registered_for_replays_never_becomes_live(db: None) -> None:
    thing = registered()
    assert (thing.origin, thing.longitude) == ("replay", 105.7)
    with pytest.raises(HaitangError) as refused:
        marked_live(thing)
    assert refused.value.code == "things.always_replay"
    with acting(system("operator")) as act:
        assert register_replay(act=act, thing=Thing.objects.get(pk="n1")).id == thing.id
