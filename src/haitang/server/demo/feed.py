"""What the stations of the demonstration send: recorded hours of the past, then each hour as it ends, and instant values in between."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from haitang.base import clock
from haitang.base.declarations.owners import place_folder
from haitang.base.settings import settings
from haitang.server.demo import aim, state
from haitang.support.infrastructure.listeners.hj212.replay import HOUR, Played, Player, Series, Values, load, play
from haitang.support.infrastructure.listeners.hj212.replaying import players
from haitang.support.infrastructure.listeners.hj212.station import NotAnsweredError
from haitang.support.infrastructure.things.models import Thing

DAYS = 90
PAUSE = 60.0  # seconds between two instant values
AGAIN = 5.0  # seconds before connecting anew


def series_file() -> Path:
    return place_folder(settings().place) / "replay" / "air.csv.gz"


def cast_players() -> tuple[Series, list[Player]]:
    """The recorded series of the place and a player for each thing marked replay; none where the place ships no series."""
    if not series_file().is_file():
        return Series({}, clock.now().date()), []
    series = load(series_file())
    found = [player for player, _ in zip(players(settings().host, settings().hj212), series.stations, strict=False)]
    for player, recorded in zip(found, series.stations, strict=False):
        player.recorded = recorded
    return _aimed(series, found), found


def _aimed(series: Series, used: Sequence[Player]) -> Series:
    """The series as this instance plays it; chosen at the first start and kept, since a message stands for one hour."""
    kept = state.read(settings().data).get("moved_days")
    if kept is None:
        devices = set(Thing.objects.filter(mn__in=[player.station.mn for player in used]).values_list("device", flat=True))
        kept = aim.aimed(series, min(devices), clock.now()).days if devices else 0
        state.write(settings().data, moved_days=kept)
    return aim.moved(series, timedelta(days=kept))


def between(before: Values, now: Values, part: float) -> Values:
    """Values between two hours, `part` (0 to 1) of the way, of the properties that both have."""
    return {name: before[name] + (value - before[name]) * part for name, value in now.items() if name in before}


def instant_of(series: Series, recorded: str, at: datetime) -> Values:
    """An instant value on the line between the recorded hour before and the one that `at` lies in."""
    start = at.replace(minute=0, second=0, microsecond=0)
    return between(series.at(recorded, start - HOUR), series.at(recorded, start), (at - start) / HOUR)


def beginning() -> datetime:
    """Midnight of the first day."""
    return clock.now().astimezone(clock.CHINA).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)


async def hours(
    series: Series,
    used: Sequence[Player],
    *,
    since: datetime,
    follow: bool,
    stop: asyncio.Event,
    tell: Callable[[Played], Awaitable[None]] | None = None,
) -> None:
    """Play hours, going on where a broken connection stopped; with `follow` until `stop`."""

    async def note(played: Played) -> None:
        nonlocal since
        since = played.until or since
        if tell:
            await tell(played)

    while not stop.is_set():
        try:
            await play(series, used, since=since, follow=follow, stop=stop, tell=note)
        except (OSError, NotAnsweredError):
            await rest(stop, AGAIN)
        else:
            return


async def instants(series: Series, used: Sequence[Player], stop: asyncio.Event) -> None:
    """Send instant values about once a minute until `stop`."""
    while not stop.is_set():
        at = clock.now()
        for player in used:
            values = {player.codes[name]: value for name, value in instant_of(series, player.recorded, at).items() if name in player.codes}
            if values:
                with contextlib.suppress(OSError, NotAnsweredError):
                    await player.station.instant(at, values)
        await rest(stop, PAUSE)


async def rest(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
