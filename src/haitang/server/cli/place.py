"""haitang place: places as folders."""

from dataclasses import asdict
from pathlib import Path

import click

from haitang.server.cli.options import as_json, instance, show


@click.group(help="地方：列出、导出，核对文件夹与数据库的差别。（Places as folders.）")
def command() -> None:
    """The group."""


@command.command("list", help="列出 places/ 下的地方。（List places.）")
@as_json
def list_(as_json: bool) -> None:
    """Name and title of each."""
    from haitang.server.places import places

    found = places()
    show(found, as_json, "\n".join(f"{name}  {title}" for name, title in found.items()) or "places/ 下还没有地方。")


@command.command(help="把生效的地方写到新文件夹 DIR，网页上已批准的调整写进其中的 overrides.yaml。（Write the place with approved edits.）")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@as_json
@instance("data", "place", boot=True, running=True)
def export(folder: Path, as_json: bool) -> None:
    """The place of the release in force, with the edits in force."""
    from haitang.base.declarations.in_force import in_force
    from haitang.base.declarations.release import edits_in_force
    from haitang.server.places import export as write

    place = next(owner for owner in in_force().owners if owner.where == "place")
    edits = edits_in_force()
    write(place, edits, folder, [owner for owner in in_force().owners if owner.where == "adopted"])
    show({"folder": str(folder), "edits": len(edits)}, as_json, f"已写到 {folder}，其中有 {len(edits)} 项已批准的调整。")


@command.command(help="核对：文件夹登记的机构和设备，与数据库现在的有哪些不同。（Drift between folder and database.）")
@as_json
@instance("data", "place", boot=True, running=True)
def diff(as_json: bool) -> None:
    """Compare the folder on disk with the tables."""
    from haitang.server.declared import load, owners_with
    from haitang.server.seeding import drift

    found = drift(load(owners_with(None)).partial)
    show([asdict(one) for one in found], as_json, "\n".join(str(one) for one in found) or "文件夹与数据库一致。")
