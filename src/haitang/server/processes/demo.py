"""The process of a demonstration: brings in its data step by step, goes on where it stopped, then keeps the stations talking."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import close_old_connections

from haitang.base import clock, ports
from haitang.base.settings import settings
from haitang.server.demo import feed, state
from haitang.server.demo.history import tell_stories
from haitang.server.demo.inboxes import fill_inboxes
from haitang.server.demo.people import make_people
from haitang.server.demo.resources import fill_resources
from haitang.server.demo.trends import day_indicators, days_are_there
from haitang.support.infrastructure.listeners.hj212.replay import Played, Player, Series
from haitang.support.infrastructure.stream.client import connect

log = structlog.get_logger()

OVERLAP = timedelta(hours=48)  # hours that are played again after a stop; the same hour is stored once
TRIES = 4  # of one step in one start
PATIENCE = 120  # seconds to wait until the stream has been read
# What the pages say while it lasts, and the percent at which it begins.
SHARES = {"people": 0, "hours": 2, "reading": 70, "cases": 76, "trends": 90, "done": 100}


def _tell(doing: str, percent: float | None = None) -> None:
    told = state.write(settings().data, doing=doing, percent=int(SHARES[doing] if percent is None else percent))
    ports.live().announce("demo", {"doing": doing, "percent": told["percent"]})


def _with_database(work: Callable[[], Any]) -> Any:
    close_old_connections()
    try:
        return work()
    finally:
        close_old_connections()


async def _in_thread(work: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(_with_database, work)


async def run(stop: asyncio.Event) -> None:
    """Bring in what is missing, then play on until `stop`."""
    await _in_thread(make_people)
    series, used = await _in_thread(feed.cast_players)
    async with contextlib.AsyncExitStack() as stack:
        for player in used:
            await _connected(player, stack, stop)
        talking = asyncio.create_task(feed.instants(series, used, stop))
        try:
            since = await _back_fill(series, used, stop)
            await _once("cases", stop, tell_stories)
            await _once("inboxes", stop, fill_inboxes, doing="cases")
            await _once("resources", stop, fill_resources, doing="cases")
            await _once("trends", stop, _trends)
            if not stop.is_set():
                await _in_thread(lambda: _tell("done"))
                await feed.hours(series, used, since=since, follow=True, stop=stop)
            await stop.wait()
        finally:
            talking.cancel()


async def _connected(player: Player, stack: contextlib.AsyncExitStack, stop: asyncio.Event) -> None:
    """The listener may still be starting."""
    while not stop.is_set():
        try:
            await stack.enter_async_context(player.station)
        except OSError:
            await feed.rest(stop, 1)
        else:
            return


async def _back_fill(series: Series, used: list[Player], stop: asyncio.Event) -> datetime:
    """Play the hours from where the last run stopped up to now, and wait until they have been judged and stored."""
    until = state.read(settings().data).get("until")
    since = datetime.fromisoformat(until) - OVERLAP if until else feed.beginning()
    begun, filled = since, state.done(settings().data, "hours")
    whole = max((clock.now() - begun).total_seconds(), 1)

    async def tell(played: Played) -> None:
        nonlocal since
        since = played.until or since
        part = (since - begun).total_seconds() / whole
        state.write(settings().data, until=since.isoformat())
        if not filled:
            await _in_thread(lambda: _tell("hours", SHARES["hours"] + part * (SHARES["reading"] - SHARES["hours"])))

    await feed.hours(series, used, since=since, follow=False, stop=stop, tell=tell)
    if not filled and not stop.is_set():
        await _in_thread(lambda: _tell("reading"))
        await _read(stop)
        state.finish(settings().data, "hours")
    return since


async def _read(stop: asyncio.Event) -> None:
    """Wait until rules and writer have taken in what was sent."""
    stream = await connect()
    try:
        for _ in range(PATIENCE):
            if stop.is_set() or (not await stream.pending("rules") and not await stream.pending("writer")):
                break
            await feed.rest(stop, 1)
    finally:
        await stream.close()
    await feed.rest(stop, 2)  # what was fetched last is still being written


async def _once(step: str, stop: asyncio.Event, work: Callable[[], Any], doing: str | None = None) -> None:
    """Do a step that has not been done.

    The rules work meanwhile, and the database may choose a step's one long transaction to give way to theirs: it is tried again soon, and at last at the
    next start. The stations talk on.
    """
    for _ in range(TRIES):
        if stop.is_set() or state.done(settings().data, step):
            return
        try:
            await _in_thread(lambda: _tell(doing or step))
            await _in_thread(work)
            state.finish(settings().data, step)
        except Exception:
            log.exception("demo.step_failed", step=step)
            await feed.rest(stop, feed.AGAIN)


def _trends() -> int:
    if not days_are_there(PATIENCE):
        log.warning("demo.days_not_derived")
    return day_indicators(feed.DAYS)
