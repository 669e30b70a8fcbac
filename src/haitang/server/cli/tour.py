"""`haitang tour`: the chain end to end, with nobody at the keyboard."""

import json
import sys
from pathlib import Path

import click

from haitang.base.settings import load
from haitang.server.cli.options import OPTIONS, as_json
from haitang.server.tour.report import Entry, summary
from haitang.server.tour.run import STATIONS, tour


@click.command(
    "tour",
    help="在全新的数据目录中无人值守走完整条链路：数据包、入库、报警、立案、派遣、处置、核查、结案、指标、证据。\n\n"
    "数据来自地方文件夹中允许使用的历史序列，经真实的监听端口发送，标明“回放”。全部成立时退出码为 0。\n\n"
    "（The chain end to end in a fresh data directory, through the real listeners. Exit code 0 only if every station held.）",
)
@OPTIONS["data"]
@OPTIONS["place"]
@as_json
def command(data: Path | None, place: str | None, as_json: bool) -> None:
    def tell(entry: Entry) -> None:
        if not as_json:
            click.echo(entry.as_line())

    entries = tour(data.expanduser().absolute() if data else None, place or load().place, tell)
    held = len(entries) == len(STATIONS) and all(entry.held for entry in entries)
    if as_json:
        click.echo(json.dumps({"held": held, "stations": [e.as_json() for e in entries]}, ensure_ascii=False, indent=2, default=str))
    else:
        click.echo(summary(entries, len(STATIONS)))
    sys.exit(0 if held else 1)
