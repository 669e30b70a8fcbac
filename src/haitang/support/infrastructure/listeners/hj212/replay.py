"""Plays a recorded series of hourly values through the real listener, as the stations of things whose origin is `replay`.

An hour of today gets the values of one fixed hour of the series (whole days apart, so that nights stay nights), and its packets have a QN made from the hour:
playing the same hours again sends the same messages, which are stored once. The series begins anew when it ends.
"""

import asyncio
import csv
import gzip
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from haitang.base import clock
from haitang.base.clock import CHINA
from haitang.base.errors import error
from haitang.support.infrastructure.listeners.hj212.station import NotAnsweredError, Station

BAD_SERIES = error("hj212.bad_series", 400, "回放文件 {file} 第 {line} 行不可用：{reason}")

HOUR = timedelta(hours=1)
AT_ONCE = 24  # hours in flight when playing as fast as they are answered
Values = dict[str, float]


@dataclass(frozen=True)
class Series:
    """Hourly values by property, of several recorded stations; each list begins at midnight and has whole days. An hour may lack any of them."""

    stations: dict[str, list[Values]]
    first_day: date

    @property
    def days(self) -> int:
        return min(len(hours) for hours in self.stations.values()) // 24

    def at(self, station: str, start: datetime) -> Values:
        """The values that are played for the hour that begins at `start`."""
        local = start.astimezone(CHINA)
        day = (local.date() - self.first_day).days % self.days
        return self.stations[station][day * 24 + local.hour]


def load(file: Path) -> Series:
    """Read a series: CSV, gzipped where the name says so, with columns `station`, `time` (start of the hour, local) and one a property; empty is missing."""
    stations: dict[str, dict[datetime, Values]] = {}
    with gzip.open(file, "rt", encoding="utf-8", newline="") if file.suffix == ".gz" else file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            number = sum(len(hours) for hours in stations.values()) + 2
            try:
                at = datetime.strptime(row.pop("time"), "%Y-%m-%d %H:%M").replace(tzinfo=CHINA)
                hours = stations.setdefault(row.pop("station"), {})
                hours[at] = {name: float(value) for name, value in row.items() if value}
            except (KeyError, ValueError, TypeError) as reason:
                raise BAD_SERIES(file=file, line=number, reason=reason) from None
    if not stations:
        raise BAD_SERIES(file=file, line=1, reason="没有数据")
    start = min(min(hours) for hours in stations.values()).replace(hour=0)
    days = (max(max(hours) for hours in stations.values()) - start).days + 1
    whole = {name: [hours.get(start + n * HOUR, {}) for n in range(days * 24)] for name, hours in stations.items()}
    return Series(whole, start.date())


class Plays(Protocol):
    """What plays one recorded station as one thing, by whatever protocol."""

    recorded: str

    @property
    def name(self) -> str:
        """The thing that it plays as."""
        ...

    async def play(self, series: Series, start: datetime) -> int:
        """Send one hour; returns how many values were acknowledged. Raises NotAnsweredError."""
        ...


@dataclass
class Player:
    """A station that plays one recorded station; `codes` maps property to factor code."""

    station: Station
    recorded: str
    codes: dict[str, str]
    name: str = ""

    async def play(self, series: Series, start: datetime) -> int:
        """Send one hour; returns how many values were acknowledged, 0 for an hour without any."""
        values = {self.codes[name]: value for name, value in series.at(self.recorded, start).items() if name in self.codes}
        if values:
            await self.station.hour(start, values, qn=f"{(start + HOUR).astimezone(CHINA):%Y%m%d%H%M%S}000")
        return len(values)


@dataclass
class Played:
    """What a replay has sent so far."""

    hours: int = 0
    values: int = 0
    unanswered: int = 0
    until: datetime | None = None


def hours(since: datetime, until: datetime) -> Iterator[datetime]:
    """The starts of the whole hours in [since, until)."""
    start = since.astimezone(CHINA).replace(minute=0, second=0, microsecond=0)
    if start < since:
        start += HOUR
    while start + HOUR <= until:
        yield start
        start += HOUR


async def play(
    series: Series,
    players: Sequence[Plays],
    *,
    since: datetime,
    speed: float = 0,
    follow: bool = False,
    stop: asyncio.Event | None = None,
    tell: Callable[[Played], Awaitable[None]] | None = None,
) -> Played:
    """Play the hours from `since` up to now, `speed` times as fast as they passed (0: as fast as they are answered); with `follow` go on as hours end."""
    played, stop, next_hour = Played(), stop or asyncio.Event(), since
    together = 1 if speed else AT_ONCE
    while not stop.is_set():
        due = list(hours(next_hour, clock.now()))
        for first in range(0, len(due), together):
            some = due[first : first + together]
            await _some(series, players, some, played)
            next_hour = some[-1] + HOUR
            if tell:
                await tell(played)
            if stop.is_set() or (speed and await _stopped(stop, HOUR.total_seconds() / speed)):
                return played
        if not follow:
            return played
        await _stopped(stop, 5)
    return played


async def _some(series: Series, players: Sequence[Plays], starts: Sequence[datetime], played: Played) -> None:
    """Hours in order on each connection, without waiting for each answer: the listener takes them in one batch."""
    results = await asyncio.gather(*(p.play(series, start) for start in starts for p in players), return_exceptions=True)
    for found in results:
        if isinstance(found, NotAnsweredError):
            played.unanswered += 1
        elif isinstance(found, BaseException):
            raise found
        else:
            played.values += found
    played.hours += len(starts)
    played.until = starts[-1] + HOUR


async def _stopped(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
