"""`haitang backup`: one file with everything the instance keeps."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import click

from haitang.base import clock
from haitang.base.settings import settings
from haitang.server.backup.drill import Drill, rehearse
from haitang.server.backup.write import drain, write
from haitang.server.cli.options import as_json, instance, show


@click.command(
    "backup",
    help="在实例运行时备份：数据库、湖、附件和密钥，写成一个 tar 文件，附清单、摘要和行数（Back up a running instance）。\n\n"
    "TARGET 是文件名，或一个文件夹（文件名自动生成）。备份含密钥，请妥善保管。\n\n"
    "--drill 再演练一次恢复：恢复到旁边的新目录，核对行数，读完整个湖，核验账本，打印每一步用时，然后删除新目录；账本不成立时退出码为 1"
    "（rehearse the restore, timed）。\n\n例：./haitang backup /backup/",
)
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--drill", is_flag=True, help="备份后演练恢复并计时（rehearse the restore of it, timed）。")
@instance("data", running=True)
@as_json
def command(target: Path, drill: bool, as_json: bool) -> None:
    file, report = target, Drill()
    if target.is_dir():
        file = target / f"haitang-{clock.now().astimezone(clock.CHINA):%Y%m%d-%H%M%S}.tar"
    with report.step("drain"):
        asyncio.run(drain())
    with report.step("backup") as step:
        manifest = write(settings(), file.absolute())
        step.bytes = file.stat().st_size
    told: dict[str, Any] = {
        "file": str(file),
        "files": len(manifest["files"]),
        "rows": sum(manifest["rows"].values()),
        "bytes": file.stat().st_size,
    }
    text = f"已备份到 {file}：{told['rows']} 行，{told['files']} 个文件，{told['bytes'] / 1e6:.1f} MB。"
    if not drill:
        show(told, as_json, text)
        return
    rehearse(report, file.absolute())
    show({**told, "drill": report.as_json()}, as_json, f"{text}\n{_told(report)}")
    sys.exit(0 if report.held else 1)


_STEPS = {
    "drain": "等待入湖（drain）",
    "backup": "备份（backup）",
    "restore": "恢复到新目录（restore）",
    "lake": "读完整个湖（lake）",
    "ledger": "核验账本（ledger）",
}


def _told(drill: Drill) -> str:
    lines = [f"  {step.seconds:8.2f} s  {_size(step.bytes)}  {_STEPS[step.name]}" for step in drill.steps]
    counts = drill.ledger["counts"]
    ledger = f"{counts.get('record', 0)} 条记录，{counts.get('seal', 0)} 个封存"
    return "\n".join(
        [
            f"演练用时 {sum(step.seconds for step in drill.steps):.1f} 秒：",
            *lines,
            f"数据库 {drill.tables} 张表 {drill.rows} 行与备份一致；湖 {len(drill.lake)} 张表 {sum(drill.lake.values())} 行全部读出；",
            f"账本{'全部成立' if drill.held else '不成立，请用 haitang evidence verify 查看'}：{ledger}。",
        ]
    )


def _size(size: int | None) -> str:
    return " " * 11 if size is None else f"{size / 1e6:8.1f} MB"
