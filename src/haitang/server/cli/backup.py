"""`haitang backup`: one file with everything the instance keeps."""

import asyncio
from pathlib import Path

import click

from haitang.base import clock
from haitang.base.settings import settings
from haitang.server.backup.write import drain, write
from haitang.server.cli.options import as_json, instance, show


@click.command(
    "backup",
    help="在实例运行时备份：数据库、湖、附件和密钥，写成一个 tar 文件，附清单、摘要和行数（Back up a running instance）。\n\n"
    "TARGET 是文件名，或一个文件夹（文件名自动生成）。备份含密钥，请妥善保管。\n\n例：./haitang backup /backup/",
)
@click.argument("target", type=click.Path(path_type=Path))
@instance("data", running=True)
@as_json
def command(target: Path, as_json: bool) -> None:
    file = target
    if target.is_dir():
        file = target / f"haitang-{clock.now().astimezone(clock.CHINA):%Y%m%d-%H%M%S}.tar"
    asyncio.run(drain())
    manifest = write(settings(), file.absolute())
    told = {"file": str(file), "files": len(manifest["files"]), "rows": sum(manifest["rows"].values()), "bytes": file.stat().st_size}
    show(told, as_json, f"已备份到 {file}：{told['rows']} 行，{told['files']} 个文件，{told['bytes'] / 1e6:.1f} MB。")
