"""`haitang demo`: how far a demonstration is, and removing all of it."""

import sys
from pathlib import Path
from typing import Any

import click

from haitang.base.settings import settings, use
from haitang.server.cli.options import OPTIONS, as_json, show
from haitang.server.demo import state
from haitang.server.instance import demo_data, read, settings_of


@click.group("demo", help="查看演示实例的装入进度，或删除它的全部数据（Look at the demonstration, or remove all of it）。")
def command() -> None:
    pass


def _use(data: Path | None) -> dict[str, Any]:
    use(settings_of({"data": data or demo_data()}))
    return read(settings().data)


@command.command("status", help="显示演示数据装到哪一步（How far it is）。退出码：0 已装完，1 没有演示实例，2 还在装入。")
@OPTIONS["data"]
@as_json
def status(data: Path | None, as_json: bool) -> None:
    running = _use(data)
    found = state.read(settings().data)
    told = {"data": str(settings().data), "demo": bool(found), "running": bool(running), "url": running.get("url"), **found}
    show(told, as_json, _text(told))
    sys.exit(1 if not found else 0 if found["percent"] >= 100 else 2)


def _text(told: dict[str, Any]) -> str:
    if not told["demo"]:
        return f"{told['data']} 没有演示实例。启动：./haitang up --demo"
    where = told["url"] or "没有运行"
    return f"演示数据已装入 {told['percent']}%  {where}  数据目录 {told['data']}  建于 {told['made_at'][:16]}"


@command.command(
    "remove",
    help="删除演示实例的全部数据。正在运行时拒绝；目录不是演示实例时拒绝。\n\n"
    "（Remove all data of the demonstration; refuses while it runs and where the directory is not a demonstration's.）",
)
@OPTIONS["data"]
@click.option("--yes", is_flag=True, help="不再询问（do not ask）。")
@as_json
def remove(data: Path | None, yes: bool, as_json: bool) -> None:
    running = _use(data)
    folder = settings().data
    if running:
        raise state.RUNNING(url=running["url"])
    if not state.read(folder):
        raise state.NOT_A_DEMO(data=folder)
    if not yes:
        click.confirm(f"将删除 {folder} 的全部内容，不能恢复。继续？", abort=True)
    gone = state.remove(folder)
    text = f"已删除 {folder}：{gone['files']} 个文件，{gone['bytes'] / 1e6:.1f} MB（人员、案件、观测数据、证据和日志）。"
    outside = settings().database_url or settings().nats_url or settings().lake
    note = "\n外部数据库、消息流或数据湖中的演示数据不在此目录，请自行清理。" if outside else ""
    show({"removed": str(folder), **gone, "outside": bool(outside)}, as_json, text + note)
