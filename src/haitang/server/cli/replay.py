"""`haitang replay`: plays a recorded series through the HJ 212 listener of the running instance."""

import asyncio
import contextlib
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from haitang.base import clock
from haitang.base.errors import error
from haitang.base.settings import settings
from haitang.server.cli.options import as_json, instance, show

if TYPE_CHECKING:
    from haitang.support.infrastructure.listeners.hj212.replay import Played, Player, Series

NO_REPLAY_THINGS = error(
    "server.no_replay_things",
    409,
    "没有标为回放（origin 为 replay）的设备。请在地方的 things.csv 中登记，或在演示实例中运行；真实设备不会被用来回放。",
)
NO_SERIES = error("server.no_series", 404, "没有回放文件 {file}。请在命令中指定，或放在地方的 replay/air.csv.gz。")


@click.command(
    "replay",
    help="把一段历史数据经真实的 HJ 212 接收端口回放，平移到当前时间，全部标明“回放”。\n\n"
    "默认回放地方的 replay/air.csv.gz，由 origin 为 replay 的设备发送；同一小时重复回放只存一次。\n\n"
    "（Plays a recorded series through the real HJ 212 listener, shifted to now and marked replay. Exit code: 0 all answered, 1 not.）",
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
@instance("data", running=True, boot=True)
@as_json
def command(file: Path | None, days: float, speed: float, follow: bool, as_json: bool) -> None:
    from haitang.support.infrastructure.listeners.hj212.replay import load

    series, players = load(_file(file)), _players()
    matched = list(zip(players, series.stations, strict=False))
    for player, recorded in matched:
        player.recorded = recorded
    used = [player for player, _ in matched]
    played = asyncio.run(_play(series, used, days, speed, follow))
    told = {
        "stations": [{"mn": p.station.mn, "recorded": p.recorded} for p in used], "hours": played.hours, "values": played.values,
        "unanswered": played.unanswered, "until": played.until,
    }  # fmt: skip
    text = f"回放 {len(used)} 个站、{played.hours} 个小时、{played.values} 个值，{played.unanswered} 条未获应答。"
    show(told, as_json, text)
    sys.exit(1 if played.unanswered else 0)


def _file(given: Path | None) -> Path:
    from haitang.base.declarations.owners import place_folder

    file = given or place_folder(settings().place) / "replay" / "air.csv.gz"
    if not file.is_file():
        raise NO_SERIES(file=file)
    return file


def _players() -> "list[Player]":
    """A player for each thing that is marked replay and speaks HJ 212; which series it plays is set later."""
    from haitang.support.infrastructure.listeners.hj212.replaying import players

    found = players(settings().host, settings().hj212)
    if not found:
        raise NO_REPLAY_THINGS()
    return found


async def _play(series: "Series", players: "list[Player]", days: float, speed: float, follow: bool) -> "Played":
    from haitang.support.infrastructure.listeners.hj212.replay import play

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        for player in players:
            await stack.enter_async_context(player.station)
        return await play(series, players, since=clock.now() - timedelta(days=days), speed=speed, follow=follow, stop=stop)
