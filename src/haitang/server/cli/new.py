"""haitang new: skeletons that pass their checks."""

from pathlib import Path

import click

from haitang.server.cli.options import as_json, instance, show

FAMILIES = ("industry", "livelihood", "ecology", "governance", "government")


@click.group(help="新建骨架。（Start something new.）")
def command() -> None:
    """The group."""


@command.command(
    help="新建应用 NAME：设备、规则、案件、流程、派生、指标、页面各一个，带用例和英文，能直接通过 haitang check。\n\n"
    "不写 --to 时放进本仓库 src/haitang/applications/<门类>/NAME。（Start an application.）"
)
@click.argument("name")
@click.option("--family", type=click.Choice(FAMILIES), default="ecology", show_default=True, help="所属门类（family）。")
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="放到这个文件夹下，作为外部应用。")
@as_json
@instance("data", "place", boot=True)
def application(name: str, family: str, to: Path | None, as_json: bool) -> None:
    """Write the skeleton and say what comes next."""
    from haitang.server.declared import organization_role
    from haitang.server.skeleton import shipped, write_application

    folder = write_application(name, (to / name) if to else shipped(family, name), organization_role())
    text = f"已写好 {folder}\n先执行 haitang check {folder} ，再改成自己的内容。" + (
        f"\n要装进实例，把这个文件夹写进设置 applications（HAITANG_APPLICATIONS={folder.absolute()}）。" if to else ""
    )
    show({"folder": str(folder), "name": name}, as_json, text)
