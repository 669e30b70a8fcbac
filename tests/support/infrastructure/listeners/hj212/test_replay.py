"""A recorded series, played through the real listener: marked, shifted to now, and stored once however often it is played."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from haitang.base import clock
from haitang.base.clock import CHINA
from haitang.base.errors import HaitangError
from haitang.support.infrastructure.listeners.hj212.replay import load, play
from haitang.support.infrastructure.listeners.hj212.replaying import players
from tests.support.infrastructure.listeners.hj212.conftest import Listening
from tests.support.infrastructure.listeners.hj212.test_listener import database, thing

AIR = Path(__file__).parents[5] / "places/dazu/replay/air.csv.gz"


def test_the_shipped_series_is_whole_small_and_in_the_units_it_says() -> None:
    series = load(AIR)
    assert (series.days, len(series.stations), str(series.first_day)) == (120, 3, "2016-10-21")
    assert AIR.stat().st_size < 300_000
    carbon_monoxide = [hour["co"] for hours in series.stations.values() for hour in hours if "co" in hour]
    assert 0 < min(carbon_monoxide) < max(carbon_monoxide) <= 10, "mg/m3"
    assert any(hour.get("pm2_5", 0) > 115 for hour in series.stations["Changping"]), "something to be alarmed about"


def test_an_hour_of_today_always_gets_the_same_hour_of_the_series() -> None:
    series, noon = load(AIR), datetime(2026, 11, 23, 12, tzinfo=CHINA)
    assert series.at("Dingling", noon) is series.at("Dingling", noon + timedelta(days=120))
    position = next(n for n, hour in enumerate(series.stations["Dingling"]) if hour is series.at("Dingling", noon))
    assert position % 24 == 12


def test_a_bad_file_says_where_it_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("station,time,pm2_5\na,2026-01-01 00:00,5\na,yesterday,5\n")
    with pytest.raises(HaitangError, match="第 3 行"):
        load(file)


def test_a_replay_is_marked_and_stored_once_for_each_hour(listening: Listening) -> None:
    async def replayed(port: int, since: datetime) -> int:
        found = await database(lambda: players("127.0.0.1", port))
        assert [p.station.mn for p in found] == ["R1", "R2"], "real stations are not used for a replay"
        for player, recorded in zip(found, series.stations, strict=False):
            player.recorded = recorded
            await player.station.connect()
        played = await play(series, found, since=since)
        for player in found:
            await player.station.close()
        assert (played.unanswered, played.hours) == (0, 48)
        return played.values

    async def run() -> None:
        await thing("R1", origin="replay")
        await thing("R2", origin="replay", password="pw")
        await thing("REAL")
        async with listening() as platform:
            with clock.frozen(clock.now()):  # an hour that ended in between would be one more
                since = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=48)
                sent = await replayed(platform.port, since)
                assert await replayed(platform.port, since) == sent > 150
            seen = [o for b in await platform.stored() for o in b.observations]
            assert {o.origin for o in seen} == {"replay"}
            assert {o.statistic for o in seen} == {"mean"}
            assert len(seen) == 2 * sent
            # What the writer tells doubles by: all but when it was received.
            assert len({(o.thing, o.property, o.statistic, o.period_start, o.source_ref, o.number) for o in seen}) == sent
            assert max(o.period_end for o in seen) <= clock.now().timestamp() * 1e6

    series = load(AIR)
    asyncio.run(run())
