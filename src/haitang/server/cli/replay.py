"""`haitang replay`: plays a recorded series through the real listeners of the running instance."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from haitang.base import clock
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.server.cli.options import as_json, instance, show

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.hj212.replay import Played, Plays, Series

NO_REPLAY_THINGS = error(
    "server.no_replay_things",
    409,
    "没有可用的回放设备（origin 为 replay）。请在地方的 things.csv 中登记，用 --of 为一台设备登记回放设备，或在演示实例中运行；真实设备不会被用来回放。",
)
NO_SERIES = error("server.no_series", 404, "没有回放文件 {file}。请在命令中指定，或放在地方的 replay/air.csv.gz。")


@click.command(
    "replay",
    help="把一段历史数据经真实的接收端口（HJ 212、MQTT 或 HTTP）回放，平移到当前时间，全部标明“回放”。\n\n"
    "默认回放地方的 replay/air.csv.gz，由 origin 为 replay 的设备发送；--of 回放本实例中一台设备最近记录的小时值，由为它登记的回放设备发送。"
    "同一小时重复回放只存一次。\n\n"
    "（Plays a recorded series through the real listeners, shifted to now and marked replay. Exit code: 0 all answered, 1 not.）",
)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--days", type=click.FloatRange(0, 3660), default=1.0, show_default=True, help="从几天前放起（how many days back to begin）。"
)
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="倍速，3600 为每秒一小时，0 为尽快（0: as fast as answered）。",
)
@click.option("--follow", is_flag=True, help="放到当前后继续，每小时一条，直到 Ctrl-C（go on as hours end）。")
@click.option(
    "--via", type=click.Choice(["hj212", "mqtt", "http"]), default="hj212", show_default=True, help="经哪个接收端口（which listener）。"
)
@click.option("--thing", "things", multiple=True, metavar="ID", help="只用这些回放设备，可多次给出（only these replay devices）。")
@click.option(
    "--of",
    "of",
    metavar="ID",
    help="回放这台设备已记录的小时值，或这个数据资源（声明了 series）的记录（what this device or resource has recorded）。",
)
@click.option(
    "--recorded",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    metavar="DAYS",
    help="与 --of 合用：取最近几天的记录（how many recorded days）。",
)
@instance("data", running=True, boot=True)
@as_json
def command(
    file: Path | None,
    days: float,
    speed: float,
    follow: bool,
    via: str,
    things: tuple[str, ...],
    of: str | None,
    recorded: int,
    as_json: bool,
) -> None:
    if of and _is_resource(of):
        series, chosen = _of_resource(of, recorded, things)
    else:
        series, chosen = _of(of, recorded) if of else (_load(file), things)
        via = "mqtt" if of and via == "hj212" else via
    used: list[Any] = []
    played = asyncio.run(_play(series, via, chosen, used, days, speed, follow))
    told = {
        "via": via, "stations": [{"thing": p.name, "recorded": p.recorded} for p in used], "hours": played.hours, "values": played.values,
        "unanswered": played.unanswered, "until": played.until,
    }  # fmt: skip
    text = f"经 {via} 回放 {len(used)} 台设备、{played.hours} 个小时、{played.values} 个值，{played.unanswered} 条未获应答。"
    show(told, as_json, text)
    sys.exit(1 if played.unanswered else 0)


def _load(given: Path | None) -> "Series":
    from haitang.base.declarations.owners import place_folder
    from haitang.support.infrastructure.listeners.hj212.replay import load

    file = given or place_folder(settings().place) / "replay" / "air.csv.gz"
    if not file.is_file():
        raise NO_SERIES(file=file)
    return load(file)


def _is_resource(id: str) -> bool:
    from haitang.base.declarations import in_force
    from haitang.hub.data.catalogue.kinds import Resource

    return id in in_force().all(Resource)


def _of_resource(id: str, days: int, things: tuple[str, ...]) -> "tuple[Series, tuple[str, ...]]":
    """What a gathered resource has recorded, and the replay devices of its type (those of `things`, where any are named)."""
    from haitang.base.declarations import in_force
    from haitang.hub.data.catalogue.kinds import Resource
    from haitang.server.recorded import of_resource
    from haitang.support.infrastructure.things.queries import all_admitted

    resource = in_force().get(Resource, id)
    series = of_resource(resource, days)
    assert resource.series is not None
    found = all_admitted().filter(origin="replay", device=resource.series.device).values_list("pk", flat=True)
    chosen = tuple(thing for thing in found if not things or thing in things)
    if not chosen:
        raise NO_REPLAY_THINGS()
    return series, chosen


def _of(thing: str, days: int) -> "tuple[Series, tuple[str, ...]]":
    """What a device has recorded, and the replay device that is registered for it."""
    from haitang.base.actions import acting, system
    from haitang.server.recorded import of
    from haitang.support.infrastructure.things.actions import register_replay
    from haitang.support.infrastructure.things.queries import get

    found = get(thing)
    series = of(found, days)
    with acting(system("operator")) as act:
        return series, (register_replay(act=act, thing=found).id,)


@asynccontextmanager
async def _players(via: str, things: tuple[str, ...]) -> "AsyncIterator[list[Plays]]":
    """A player for each thing that is marked replay and speaks this protocol; which series it plays is set later."""
    from haitang.support.infrastructure.listeners import playing
    from haitang.support.infrastructure.listeners.hj212.replaying import players, reached

    host = reached(settings().host)
    if via == "hj212":
        found = [p for p in await asyncio.to_thread(players, host, settings().hj212) if not things or p.name in things]
        async with contextlib.AsyncExitStack() as stack:
            for player in found:
                await stack.enter_async_context(player.station)
            yield list(found)
        return
    chosen = await asyncio.to_thread(playing.replayed, things)
    async with playing.opened(via, chosen, host=host, mqtt=settings().mqtt, url=settings().reached(host)) as json_players:
        yield list(json_players)


async def _play(
    series: "Series", via: str, things: tuple[str, ...], used: "list[Plays]", days: float, speed: float, follow: bool
) -> "Played":
    from haitang.support.infrastructure.listeners.hj212.replay import play

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _players(via, things) as players:
        if not players:
            raise NO_REPLAY_THINGS()
        for player, recorded in zip(players, series.stations, strict=False):
            player.recorded = recorded
            used.append(player)
        return await play(series, used, since=clock.now() - timedelta(days=days), speed=speed, follow=follow, stop=stop)
