"""`haitang restore`: a new instance from a backup."""

from pathlib import Path

import click

from haitang.base.settings import settings
from haitang.server.backup.read import restore
from haitang.server.cli.options import as_json, instance, show


@click.command(
    "restore",
    help="把备份恢复到一个新的数据目录，核对每个文件的摘要和每张表的行数（Restore a backup into a new data directory）。\n\n"
    "例：./haitang restore haitang-20260101-020000.tar --data /srv/haitang-new",
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@instance("data", "place")
@as_json
def command(file: Path, as_json: bool) -> None:
    manifest = restore(settings(), file)
    told = {
        "data": str(settings().data),
        "rows": sum(manifest["rows"].values()),
        "files": len(manifest["files"]),
        "made_at": manifest["made_at"],
    }
    show(
        told,
        as_json,
        f"已恢复到 {told['data']}：{told['rows']} 行，{told['files']} 个文件，与清单一致。启动：./haitang up --data {told['data']}",
    )
